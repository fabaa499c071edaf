// Layers with weights: convolution, linear, added parameter.
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>

#include "engine/kernels/depthwise.h"
#include "engine/ops/ops.h"

namespace facex::engine {

namespace {

class Conv2d final : public Op {
 public:
  explicit Conv2d(const Attributes& attrs)
      : stride_(attrs.integers("stride")), padding_(attrs.integers("padding")), dilation_(attrs.integers("dilation")), groups_(attrs.integer("groups")) {}

  Tensor forward(Forward& pass) const override {
    if (own_kernels(pass.input(), pass.params) && !pass.params.has("bias")) return depthwise(pass.params).forward(pass.input(), pass.params.master("weight"));
    return at::convolution(pass.input(), pass.params.compute("weight"), pass.params.compute("bias"), stride_, padding_,
                           dilation_, /*transposed=*/false, kNoOutputPadding, groups_);
  }

  void backward(Backward& pass) const override {
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
  bool own_kernels(const Tensor& x, NodeParameters& params) const {
    return groups_ == x.size(1) && kernels::Depthwise::takes(x, params.master("weight"), stride_, dilation_);
  }

  kernels::Depthwise depthwise(NodeParameters& params) const {
    return {.kernel = params.master("weight").size(2), .stride = stride_[0], .padding_height = padding_[0], .padding_width = padding_[1]};
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
};

class Linear final : public Op {
 public:
  Tensor forward(Forward& pass) const override {
    return at::linear(pass.input(), pass.params.compute("weight"), pass.params.compute("bias"));
  }

  void backward(Backward& pass) const override {
    const Tensor weight = pass.params.compute("weight");
    const Tensor grad = pass.grad.reshape({-1, weight.size(0)});
    if (pass.wanted[0]) pass.input_grads[0] = grad.mm(weight).view(pass.input().sizes());
    if (pass.params.wants_grad("weight")) pass.params.add_grad("weight", grad.t().mm(pass.input().reshape({-1, weight.size(1)})));
    if (pass.params.wants_grad("bias")) pass.params.add_grad("bias", grad.sum(0));
  }
};

class AddParameter final : public Op {
 public:
  Tensor forward(Forward& pass) const override { return pass.input().add(pass.params.compute("weight")); }
  void backward(Backward& pass) const override {
    if (pass.wanted[0]) pass.input_grads[0] = pass.grad;
    if (pass.params.wants_grad("weight")) pass.params.add_grad("weight", pass.grad.sum({0}, /*keepdim=*/true));
  }
};

}  // namespace

std::unique_ptr<Op> make_conv2d(const Node& node) { return make_op<Conv2d>(node); }
std::unique_ptr<Op> make_linear(const Node& node) { return make_op<Linear>(node); }
std::unique_ptr<Op> make_add_parameter(const Node& node) { return make_op<AddParameter>(node); }

}  // namespace facex::engine
