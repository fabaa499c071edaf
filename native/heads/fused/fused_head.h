// The frame of every fused head on the CPU: normalise, multiply, margin softmax, gradients.
//
//   x^ = x / |x|,  product = x^ w,  cos = product / |w|          products [N, M]: the only batch-by-classes buffer
//   policy: cos -> logits -> cross-entropy -> d loss / d product  in place
//   d x = (g - x^ (x^ . g)) / |x|,  g = d product * w^T           and, for norm-aware heads, x^ * d loss / d|x|
//   d w = a - w (w . a) / |w|^2,    a = x^T d product             per centre, while it is in the cache
//
// Both multiplications with the centres run over blocks of classes, so that no normalised or transposed copy of them
// exists. The buffer and the gradient of the centres are kept from step to step: fresh pages cost more than the
// arithmetic on them.
#pragma once

#include "heads/definition.h"
#include "heads/fused/margin_softmax.h"

namespace facex::heads::fused {

template <typename T>
class FusedHead : public Head {
 public:
  FusedHead(const Definition& definition, const HeadOptions& options, bool spherical);

  State& state() override { return state_; }
  void initialise(uint64_t seed) override { initialise_state(state_, definition_, options_, seed); }
  HeadResult run(const HeadRequest& request) override;

 protected:
  // Fills losses and gradients of the rows; returns the regulariser, or NaN when there is none.
  virtual double margin_softmax(Step<T>& step, T* logits_out) = 0;

  const Definition& definition_;
  const HeadOptions options_;
  State state_;

 private:
  // A gradient entry for the centres, in memory that is kept from step to step.
  Tensor lend_gradient(const Tensor& centres);

  const bool spherical_;
  Tensor products_;       // [N, M]
  Tensor inverse_norms_;  // [M]
  Tensor centre_grad_;    // [M, D], see lend_gradient
};

template <template <typename> class Policy, typename T>
class PolicyHead final : public FusedHead<T> {
 public:
  PolicyHead(const Definition& definition, const HeadOptions& options)
      : FusedHead<T>(definition, options, Policy<T>::kSpherical), policy_(options) {}

 protected:
  double margin_softmax(Step<T>& step, T* logits_out) override {
    policy_.prepare(step);
    fused::margin_softmax(policy_, step, logits_out);
    return policy_.finish(step);
  }

 private:
  Policy<T> policy_;
};

template <template <typename> class Policy>
std::unique_ptr<Head> make_fused(const Definition& definition, const HeadOptions& options) {
  if (options.dtype == at::kDouble) return std::make_unique<PolicyHead<Policy, double>>(definition, options);
  return std::make_unique<PolicyHead<Policy, float>>(definition, options);
}

}  // namespace facex::heads::fused
