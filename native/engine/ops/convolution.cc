// Convolution, alone or with the shortcut and the activation that follow it: act(conv2d(x) + shortcut).
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include "engine/kernels/affine_act.h"
#include "engine/kernels/depthwise.h"
#include "engine/kernels/packed_convolution.h"
#include "engine/ops/activate.h"
#include "engine/ops/ops.h"

namespace facex::engine {

namespace {

using kernels::Affine;

class Conv2d final : public Op {
 public:
  Conv2d(const Attributes& attrs, Activation activation)
      : stride_(attrs.integers("stride")), padding_(attrs.integers("padding")), dilation_(attrs.integers("dilation")), groups_(attrs.integer("groups")), activation_(activation) {}

  Tensor forward(Forward& pass) const override {
    if (own_kernels(pass.input(), pass.params) && !pass.mode.keep_for_backward) return forward_depthwise(pass);
    Tensor z = convolved(pass);
    if (pass.inputs.size() > 1) z.add_(pass.input(1));
    if (pass.mode.keep_for_backward && bends()) pass.kept = {z};
    return activated(z, pass);
  }

  void backward(Backward& pass) const override {
    if (bends()) {
      Tensor slope_grad;
      pass.grad = activate_backward(activation_, pass.grad, pass.kept[0], pass.params.compute("slope"), &slope_grad);
      if (pass.params.wants_grad("slope")) pass.params.add_grad("slope", slope_grad);
    }
    if (pass.inputs.size() > 1 && pass.wanted[1]) pass.input_grads[1] = pass.grad;
    if (own_kernels(pass.input(), pass.params)) return backward_depthwise(pass);
    const Tensor weight = pass.params.compute("weight");
    const Tensor bias = pass.params.master("bias");
    const std::array<bool, 3> mask = {pass.wanted[0], pass.params.wants_grad("weight"), pass.params.wants_grad("bias")};
    at::OptionalIntArrayRef bias_sizes = at::nullopt;
    if (bias.defined()) bias_sizes = bias.sizes();
    auto [grad, weight_grad, bias_grad] = at::convolution_backward(pass.grad, pass.input(), weight, bias_sizes, stride_, padding_,
                                                                   dilation_, false, kNoOutputPadding, groups_, mask);
    if (mask[0]) pass.input_grads[0] = grad;
    if (mask[1]) pass.params.add_grad("weight", weight_grad);
    if (mask[2]) pass.params.add_grad("bias", bias_grad);
  }

 private:
  bool bends() const { return activation_ != Activation::kNone; }

  bool own_kernels(const Tensor& x, NodeParameters& params) const {
    return groups_ == x.size(1) && kernels::Depthwise::takes(x, params.master("weight"), stride_, dilation_);
  }

  kernels::Depthwise depthwise(NodeParameters& params) const {
    return {.kernel = params.master("weight").size(2), .stride = stride_[0], .padding_height = padding_[0], .padding_width = padding_[1]};
  }

  // conv2d(x) with the bias, in memory of its own.
  Tensor convolved(Forward& pass) const {
    const Tensor& x = pass.input();
    NodeParameters& params = pass.params;
    if (own_kernels(x, params) && !params.has("bias")) return depthwise(params).forward(x, taps(params, x), nullptr, Tensor());
    const Tensor bias = params.compute("bias");
    if (!pass.mode.keep_for_backward && kernels::packed_convolution_takes(x)) {
      const kernels::Window window{stride_, padding_, dilation_, groups_};
      const Tensor& weight = params.made("packed weight", [&] { return kernels::packed_weight(params.compute("weight"), x, window); });
      return kernels::packed_convolution(x, weight, bias, window);
    }
    return at::convolution(x, params.compute("weight"), bias, stride_, padding_, dilation_, /*transposed=*/false, kNoOutputPadding, groups_);
  }

  // All in one pass over the result.
  Tensor forward_depthwise(Forward& pass) const {
    NodeParameters& params = pass.params;
    const Tensor shortcut = pass.inputs.size() > 1 ? pass.input(1) : Tensor();
    const bool plain = !bends() && !params.has("bias") && !shortcut.defined();
    const Affine* after = plain ? nullptr : &affine(params, params.master("bias"), pass.input());
    return depthwise(params).forward(pass.input(), taps(params, pass.input()), after, shortcut);
  }

  static const Tensor& taps(NodeParameters& params, const Tensor& x) {
    return params.made("taps", [&] { return kernels::Depthwise::taps(params.master("weight"), x.scalar_type()); });
  }

  Tensor activated(const Tensor& z, Forward& pass) const {
    if (!bends()) return z;
    if (!kernels::affine_act_takes(z)) return activate(activation_, z, pass.params.compute("slope"));
    return kernels::affine_act(z, Tensor(), affine(pass.params, Tensor(), z), /*in_place=*/!pass.mode.keep_for_backward);
  }

  // The activation of values to which `bias` is still to be added.
  const Affine& affine(NodeParameters& params, const Tensor& bias, const Tensor& values) const {
    return params.made(bias.defined() ? "affine with bias" : "affine", [&] {
      const auto options = values.options().dtype(kernels::wide_type(values.scalar_type())).memory_format(at::MemoryFormat::Contiguous);
      const int64_t channels = params.master("weight").size(0);
      const Tensor zero = at::zeros({channels}, options);
      Affine result{.mean = zero, .scale = at::ones({channels}, options), .shift = bias.defined() ? bias.to(zero.scalar_type()) : zero, .slope = {}, .activation = activation_};
      if (params.has("slope")) result.slope = params.master("slope").to(zero.scalar_type()).expand({channels}).contiguous();
      return result;
    });
  }

  // Reads the weights as they are, not their copies in the type of the values.
  void backward_depthwise(Backward& pass) const {
    const kernels::Depthwise op = depthwise(pass.params);
    if (pass.params.wants_grad("weight")) pass.params.add_grad("weight", op.weight_grad(pass.grad, pass.input()));
    if (pass.params.wants_grad("bias")) pass.params.add_grad("bias", pass.grad.sum({0, 2, 3}));
    if (pass.wanted[0]) pass.input_grads[0] = op.input_grad(pass.grad, pass.params.master("weight"), pass.input().sizes());
  }

  static constexpr int64_t kNoOutputPadding[] = {0, 0};
  std::vector<int64_t> stride_, padding_, dilation_;
  int64_t groups_;
  Activation activation_;
};

}  // namespace

std::unique_ptr<Op> make_conv2d(const Node& node) { return std::make_unique<Conv2d>(Attributes(node), Activation::kNone); }

std::unique_ptr<Op> make_conv2d_act(const Node& node) { return std::make_unique<Conv2d>(Attributes(node), fused_activation(node)); }

}  // namespace facex::engine
