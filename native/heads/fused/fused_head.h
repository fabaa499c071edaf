// The frame of every fused head on the CPU: normalise, multiply, margin softmax, gradients.
//
//   x^ = x / |x|,  product = x^ w,  cos = product / |w|          products [N, M]: the only batch-by-classes buffer
//   policy: cos -> logits -> cross-entropy -> d loss / d product  in place
//   d x = (g - x^ (x^ . g)) / |x|,  g = d product * w^T           and, for norm-aware heads, x^ * d loss / d|x|
//   d w = a - w (w . a) / |w|^2,    a = x^T d product             per centre, while it is in the cache
//
// Both multiplications with the centres run over blocks of classes, so that no normalised or transposed copy of them
// exists. The buffer and the gradient of the centres are kept from step to step.
#pragma once

#include "heads/fused/cuda/cuda_head.h"
#include "heads/fused/frame.h"
#include "heads/fused/margin_softmax.h"

namespace facex::heads::fused {

template <typename T>
class FusedHead : public HeadFrame {
 public:
  FusedHead(const Definition& definition, const HeadOptions& options, bool spherical) : HeadFrame(definition, options), spherical_(spherical) {}

  HeadResult run(const HeadRequest& request) override;

 protected:
  // Fills losses and gradients of the rows; returns the regulariser, or NaN when there is none.
  virtual double margin_softmax(Step<T>& step, T* logits_out) = 0;

 private:
  const bool spherical_;
  Tensor products_;       // [N, M]
  Tensor inverse_norms_;  // [M]
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
  if (!options.device.is_cpu()) return cuda::make_on_cuda<Policy>(definition, options);
  if (options.dtype == at::kDouble) return std::make_unique<PolicyHead<Policy, double>>(definition, options);
  return std::make_unique<PolicyHead<Policy, float>>(definition, options);
}

}  // namespace facex::heads::fused
