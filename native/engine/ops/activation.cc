// Element-wise activations: the forward and backward kernels of libtorch, each told what backward reads.
#include <ATen/ops/_prelu_kernel.h>
#include <ATen/ops/_prelu_kernel_backward.h>
#include <ATen/ops/_softmax.h>
#include <ATen/ops/_softmax_backward_data.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/gelu_backward.h>
#include <ATen/ops/hardsigmoid.h>
#include <ATen/ops/hardsigmoid_backward.h>
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

#include "engine/ops/ops.h"

namespace facex::engine {

namespace {

// `apply` maps x to y; `derive` maps (grad, x or y) to the gradient of x, reading what the table row says it needs.
template <Tensor (*apply)(const Tensor&), Tensor (*derive)(const Tensor&, const Tensor&), Needs needs>
class Elementwise final : public Op {
 public:
  Tensor forward(Forward& pass) const override { return apply(pass.input()); }
  void backward(Backward& pass) const override {
    pass.input_grads[0] = derive(pass.grad, needs == Needs::kOutput ? pass.output : pass.input());
  }
};

Tensor relu(const Tensor& x) { return at::relu(x); }
Tensor relu_grad(const Tensor& g, const Tensor& y) { return at::threshold_backward(g, y, 0); }
Tensor relu6(const Tensor& x) { return at::hardtanh(x, 0, 6); }
Tensor relu6_grad(const Tensor& g, const Tensor& x) { return at::hardtanh_backward(g, x, 0, 6); }
Tensor sigmoid(const Tensor& x) { return at::sigmoid(x); }
Tensor sigmoid_grad(const Tensor& g, const Tensor& y) { return at::sigmoid_backward(g, y); }
Tensor silu(const Tensor& x) { return at::silu(x); }
Tensor silu_grad(const Tensor& g, const Tensor& x) { return at::silu_backward(g, x); }
Tensor hard_sigmoid(const Tensor& x) { return at::hardsigmoid(x); }
Tensor hard_sigmoid_grad(const Tensor& g, const Tensor& x) { return at::hardsigmoid_backward(g, x); }
Tensor hard_swish(const Tensor& x) { return at::hardswish(x); }
Tensor hard_swish_grad(const Tensor& g, const Tensor& x) { return at::hardswish_backward(g, x); }
Tensor gelu(const Tensor& x) { return at::gelu(x); }
Tensor gelu_grad(const Tensor& g, const Tensor& x) { return at::gelu_backward(g, x); }

class PRelu final : public Op {
 public:
  Tensor forward(Forward& pass) const override { return at::_prelu_kernel(pass.input(), slope(pass.params, pass.input())); }

  void backward(Backward& pass) const override {
    auto [grad, slope_grad] = at::_prelu_kernel_backward(pass.grad, pass.input(), slope(pass.params, pass.input()));
    if (pass.wanted[0]) pass.input_grads[0] = grad;
    if (!pass.params.wants_grad("weight")) return;
    const Tensor weight = pass.params.master("weight");
    // The kernel gives one term an element; channels are dimension 1.
    std::vector<int64_t> others;
    for (int64_t dim = 0; dim < slope_grad.dim(); ++dim) {
      if (dim != 1 || weight.numel() == 1) others.push_back(dim);
    }
    pass.params.add_grad("weight", slope_grad.sum(others, /*keepdim=*/false, weight.scalar_type()).view(weight.sizes()));
  }

 private:
  // [1, C, 1, ...], to broadcast along dimension 1.
  static Tensor slope(NodeParameters& params, const Tensor& x) {
    const Tensor weight = params.compute("weight");
    std::vector<int64_t> sizes(static_cast<size_t>(x.dim()), 1);
    if (x.dim() > 1) sizes[1] = weight.numel();
    return weight.view(sizes);
  }
};

class ScaleShift final : public Op {
 public:
  explicit ScaleShift(const Attributes& attrs) : scale_(attrs.number("scale")), shift_(attrs.number("shift")) {}
  Tensor forward(Forward& pass) const override {
    return scale_ == 1 ? pass.input().add(shift_) : pass.input().mul(scale_).add_(shift_);
  }
  void backward(Backward& pass) const override { pass.input_grads[0] = scale_ == 1 ? pass.grad : pass.grad.mul(scale_); }

 private:
  double scale_, shift_;
};

class Softmax final : public Op {
 public:
  explicit Softmax(const Attributes& attrs) : dim_(attrs.integer("dim") + 1) {}
  Tensor forward(Forward& pass) const override { return at::_softmax(pass.input(), dim_, /*half_to_float=*/false); }
  void backward(Backward& pass) const override {
    pass.input_grads[0] = at::_softmax_backward_data(pass.grad, pass.output, dim_, pass.output.scalar_type());
  }

 private:
  int64_t dim_;  // of the tensor, batch included
};

}  // namespace

std::unique_ptr<Op> make_prelu(const Node& node) { return make_op<PRelu>(node); }
std::unique_ptr<Op> make_relu(const Node& node) { return make_op<Elementwise<relu, relu_grad, Needs::kOutput>>(node); }
std::unique_ptr<Op> make_relu6(const Node& node) { return make_op<Elementwise<relu6, relu6_grad, Needs::kInputs>>(node); }
std::unique_ptr<Op> make_sigmoid(const Node& node) { return make_op<Elementwise<sigmoid, sigmoid_grad, Needs::kOutput>>(node); }
std::unique_ptr<Op> make_silu(const Node& node) { return make_op<Elementwise<silu, silu_grad, Needs::kInputs>>(node); }
std::unique_ptr<Op> make_hard_sigmoid(const Node& node) { return make_op<Elementwise<hard_sigmoid, hard_sigmoid_grad, Needs::kInputs>>(node); }
std::unique_ptr<Op> make_hard_swish(const Node& node) { return make_op<Elementwise<hard_swish, hard_swish_grad, Needs::kInputs>>(node); }
std::unique_ptr<Op> make_gelu(const Node& node) { return make_op<Elementwise<gelu, gelu_grad, Needs::kInputs>>(node); }
std::unique_ptr<Op> make_scale_shift(const Node& node) { return make_op<ScaleShift>(node); }
std::unique_ptr<Op> make_softmax(const Node& node) { return make_op<Softmax>(node); }

}  // namespace facex::engine
