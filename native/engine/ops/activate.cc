#include "engine/ops/activate.h"

#include <ATen/ops/_prelu_kernel.h>
#include <ATen/ops/_prelu_kernel_backward.h>
#include <ATen/ops/hardswish.h>
#include <ATen/ops/hardswish_backward.h>
#include <ATen/ops/hardtanh.h>
#include <ATen/ops/hardtanh_backward.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sigmoid_backward.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/silu_backward.h>
#include <ATen/ops/threshold_backward.h>

#include <utility>

#include "core/error.h"
#include "engine/op.h"

namespace facex::engine {

namespace {

constexpr std::pair<const char*, Activation> kNames[] = {
    {"none", Activation::kNone},       {"prelu", Activation::kPRelu}, {"relu", Activation::kRelu},
    {"relu6", Activation::kRelu6},     {"sigmoid", Activation::kSigmoid}, {"silu", Activation::kSilu},
    {"hard_swish", Activation::kHardSwish},
};

// [1, C, 1, ...], to broadcast along dimension 1.
Tensor along_channels(const Tensor& slope, const Tensor& z) {
  std::vector<int64_t> sizes(static_cast<size_t>(z.dim()), 1);
  if (z.dim() > 1) sizes[1] = slope.numel();
  return slope.view(sizes);
}

// The kernel gives one term an element; the slope is shared by all but its own channel.
Tensor sum_for(const Tensor& terms, const Tensor& slope) {
  std::vector<int64_t> others;
  for (int64_t dim = 0; dim < terms.dim(); ++dim) {
    if (dim != 1 || slope.numel() == 1) others.push_back(dim);
  }
  const auto type = terms.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  return terms.sum(others, /*keepdim=*/false, type).view(slope.sizes());
}

}  // namespace

Activation fused_activation(const Node& node) {
  const std::string name = Attributes(node).text("activation");
  for (const auto& [known, activation] : kNames) {
    if (name != known) continue;
    if ((activation == Activation::kPRelu) == node.params.contains("slope")) return activation;
    fail(ErrorCode::kGraph, node.path, " (node ", node.id, " ", node.op, "): slope belongs to the activation prelu, and to no other");
  }
  fail(ErrorCode::kGraph, node.path, ": unknown activation ", name);
}

Tensor activate(Activation activation, const Tensor& z, const Tensor& slope) {
  switch (activation) {
    case Activation::kPRelu: return at::_prelu_kernel(z, along_channels(slope, z));
    case Activation::kRelu: return at::relu(z);
    case Activation::kRelu6: return at::hardtanh(z, 0, 6);
    case Activation::kSigmoid: return at::sigmoid(z);
    case Activation::kSilu: return at::silu(z);
    case Activation::kHardSwish: return at::hardswish(z);
    case Activation::kNone: break;
  }
  return z;
}

Tensor activate_backward(Activation activation, const Tensor& grad, const Tensor& z, const Tensor& slope, Tensor* slope_grad) {
  switch (activation) {
    case Activation::kPRelu: {
      auto [z_grad, terms] = at::_prelu_kernel_backward(grad, z, along_channels(slope, z));
      if (slope_grad != nullptr) *slope_grad = sum_for(terms, slope);
      return z_grad;
    }
    case Activation::kRelu: return at::threshold_backward(grad, z, 0);
    case Activation::kRelu6: return at::hardtanh_backward(grad, z, 0, 6);
    case Activation::kSigmoid: return at::sigmoid_backward(grad, at::sigmoid(z));
    case Activation::kSilu: return at::silu_backward(grad, z);
    case Activation::kHardSwish: return at::hardswish_backward(grad, z);
    case Activation::kNone: break;
  }
  return grad;
}

}  // namespace facex::engine
