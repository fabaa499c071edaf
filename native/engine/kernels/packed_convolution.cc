#include "engine/kernels/packed_convolution.h"

#include <ATen/Context.h>
#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <optional>

#include "core/isa.h"

namespace facex::engine::kernels {

namespace {

// Operations that libtorch registers for its own compiler, by name: no header declares them, so that they may be missing
// or take other arguments in some version.
std::optional<c10::OperatorHandle> registered(const char* name, size_t arguments) {
  const auto found = c10::Dispatcher::singleton().findSchema({name, ""});
  if (!found.has_value() || found->schema().arguments().size() != arguments) return std::nullopt;
  return found;
}

const std::optional<c10::OperatorHandle>& reorder() {
  static const auto found = registered("mkldnn::_reorder_convolution_weight", 6);
  return found;
}
const std::optional<c10::OperatorHandle>& convolve() {
  static const auto found = registered("mkldnn::_convolution_pointwise", 10);
  return found;
}

Tensor call(const c10::OperatorHandle& operation, std::vector<c10::IValue> stack) {
  operation.callBoxed(stack);
  return stack.at(0).toTensor();
}

}  // namespace

bool packed_convolution_takes(const Tensor& x) {
  // oneDNN has bfloat16 where libtorch takes AVX-512 for its own kernels.
  const bool has_bfloat16 = isa() == Isa::kAvx512;
  const auto type = x.scalar_type();
  return x.is_cpu() && x.dim() == 4 && x.numel() > 0 && (type == at::kFloat || (type == at::kBFloat16 && has_bfloat16)) && at::globalContext().userEnabledMkldnn() &&
         reorder().has_value() && convolve().has_value();
}

Tensor packed_weight(const Tensor& weight, const Tensor& x, const Window& window) {
  return call(*reorder(), {weight, window.padding, window.stride, window.dilation, window.groups, x.sizes()});
}

Tensor packed_convolution(const Tensor& x, const Tensor& packed, const Tensor& bias, const Window& window) {
  const c10::List<std::optional<at::Scalar>> no_scalars;
  return call(*convolve(), {x, packed, bias.defined() ? c10::IValue(bias) : c10::IValue(), window.padding, window.stride, window.dilation, window.groups, "none", no_scalars, ""});
}

}  // namespace facex::engine::kernels
