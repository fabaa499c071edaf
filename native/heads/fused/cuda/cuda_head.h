// The frame of the fused heads on CUDA: the formulas of fused_head.h. What concerns the own class of a row is a few
// numbers, which the policies work out on the CPU as they do there; the batch-by-classes buffer stays on the device. A run
// waits for the device when own cosines and lengths come over, and where a policy reads its adaptive state.
//
// [Note: policies on CUDA] There a policy gives the logits of the other classes by form() alone, and its prepare() and
// finish() read neither the buffer nor entries that belong to classes. Of a row they know
// index, cosine and norm, and what they wrote themselves. The heads of policies that cannot (kOnCuda is false)
// run by their reference form.
#pragma once

#include "heads/fused/frame.h"
#include "heads/fused/margin.h"

namespace facex::heads::fused::cuda {

template <typename T>
class CudaHead : public HeadFrame {
 public:
  CudaHead(const Definition& definition, const HeadOptions& options, bool spherical) : HeadFrame(definition, options), spherical_(spherical) {}

  HeadResult run(const HeadRequest& request) override;

 protected:
  virtual void prepare(Step<T>& step) = 0;
  virtual TargetLogit<T> target(const Row<T>& row) const = 0;
  virtual AnyForm form() const = 0;
  virtual double finish(Step<T>& step) = 0;

 private:
  const bool spherical_;
  Tensor products_;  // [N, M], kept from step to step
};

template <template <typename> class Policy, typename T>
class CudaPolicyHead final : public CudaHead<T> {
 public:
  CudaPolicyHead(const Definition& definition, const HeadOptions& options) : CudaHead<T>(definition, options, Policy<T>::kSpherical), policy_(options) {}

 protected:
  void prepare(Step<T>& step) override { policy_.prepare(step); }
  TargetLogit<T> target(const Row<T>& row) const override { return policy_.target(row); }
  AnyForm form() const override { return AnyForm::of(policy_.form()); }
  double finish(Step<T>& step) override { return policy_.finish(step); }

 private:
  Policy<T> policy_;
};

template <template <typename> class Policy>
std::unique_ptr<Head> make_on_cuda(const Definition& definition, const HeadOptions& options) {
  if constexpr (Policy<float>::kOnCuda) {
    if (options.dtype == at::kDouble) return std::make_unique<CudaPolicyHead<Policy, double>>(definition, options);
    return std::make_unique<CudaPolicyHead<Policy, float>>(definition, options);
  } else {
    return definition.reference(definition, options);
  }
}

}  // namespace facex::heads::fused::cuda
