// Element-wise activations: the forward and backward kernels of libtorch, each told what backward reads.
#include <ATen/ops/_softmax.h>
#include <ATen/ops/_softmax_backward_data.h>
#include <ATen/ops/clamp_min.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/gelu_backward.h>
#include <ATen/ops/hardsigmoid.h>
#include <ATen/ops/hardsigmoid_backward.h>
#include <ATen/ops/hardswish.h>
#include <ATen/ops/hardswish_backward.h>
#include <ATen/ops/hardtanh.h>
#include <ATen/ops/hardtanh_backward.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sigmoid_backward.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/silu_backward.h>
#include <ATen/ops/threshold_backward.h>
#include <ATen/ops/zeros_like.h>

#include "engine/kernels/affine_act.h"
#include "engine/kernels/cuda/batch_norm.h"
#include "engine/ops/activate.h"
#include "engine/ops/ops.h"

namespace facex::engine {

namespace {

// `apply` writes y, which may be x itself; `derive` maps (grad, x or y) to the gradient of x, reading what the table row says it needs.
template <void (*apply)(Tensor& y, const Tensor& x), Tensor (*derive)(const Tensor&, const Tensor&), Needs needs>
class Elementwise final : public Op {
 public:
  Tensor forward(Forward& pass) const override {
    const Tensor& x = pass.input();
    Tensor y = pass.owns_input() ? x : at::empty_like(x);
    apply(y, x);
    return y;
  }
  void backward(Backward& pass) const override {
    pass.input_grads[0] = derive(pass.grad, needs == Needs::kOutput ? pass.output : pass.input());
  }
};

void relu(Tensor& y, const Tensor& x) { at::clamp_min_out(y, x, 0); }
Tensor relu_grad(const Tensor& g, const Tensor& y) { return at::threshold_backward(g, y, 0); }
void relu6(Tensor& y, const Tensor& x) { at::hardtanh_out(y, x, 0, 6); }
Tensor relu6_grad(const Tensor& g, const Tensor& x) { return at::hardtanh_backward(g, x, 0, 6); }
void sigmoid(Tensor& y, const Tensor& x) { at::sigmoid_out(y, x); }
Tensor sigmoid_grad(const Tensor& g, const Tensor& y) { return at::sigmoid_backward(g, y); }
void silu(Tensor& y, const Tensor& x) { at::silu_out(y, x); }
Tensor silu_grad(const Tensor& g, const Tensor& x) { return at::silu_backward(g, x); }
// libtorch's CUDA kernel holds 1 / 6 in float32 for float64 values too.
bool sixth_is_rounded(const Tensor& x) { return x.is_cuda() && x.scalar_type() == at::kDouble; }

void hard_sigmoid(Tensor& y, const Tensor& x) {
  if (sixth_is_rounded(x)) {
    y.copy_(x.add(3).clamp_(0, 6).div_(6));
  } else {
    at::hardsigmoid_out(y, x);
  }
}
Tensor hard_sigmoid_grad(const Tensor& g, const Tensor& x) {
  return sixth_is_rounded(x) ? at::hardtanh_backward(g, x, -3, 3).div_(6) : at::hardsigmoid_backward(g, x);
}
void hard_swish(Tensor& y, const Tensor& x) {
  if (sixth_is_rounded(x)) {
    y.copy_(x.add(3).clamp_(0, 6).div_(6).mul_(x));
  } else {
    at::hardswish_out(y, x);
  }
}
Tensor hard_swish_grad(const Tensor& g, const Tensor& x) {
  if (!sixth_is_rounded(x)) return at::hardswish_backward(g, x);
  return at::hardtanh_backward(g.mul(x), x, -3, 3).add_(x.add(3).clamp_(0, 6).mul_(g)).div_(6);
}
void gelu(Tensor& y, const Tensor& x) { at::gelu_out(y, x); }
Tensor gelu_grad(const Tensor& g, const Tensor& x) { return at::gelu_backward(g, x); }

class PRelu final : public Op {
 public:
  Tensor forward(Forward& pass) const override {
    const Tensor& x = pass.input();
    if (kernels::cuda::batch_norm_takes(x)) return kernels::cuda::batch_norm(x, Tensor(), layer(pass.params, x)).y;
    if (!kernels::affine_act_takes(x)) return activate(Activation::kPRelu, x, pass.params.compute("weight"));
    return kernels::affine_act(x, Tensor(), affine(pass.params, x), pass.owns_input());
  }

  void backward(Backward& pass) const override {
    const Tensor& x = pass.input();
    const bool trained = pass.params.wants_grad("weight");
    Tensor slope_grad;
    if (kernels::cuda::batch_norm_takes(x)) {
      const auto grads = kernels::cuda::batch_norm_backward(x, Tensor(), layer(pass.params, x), Tensor(), pass.grad, pass.wanted[0],
                                                              /*wants_residual=*/false, pass.owns_grad());
      slope_grad = grads.slope;
      pass.input_grads[0] = grads.x;
    } else if (kernels::affine_act_takes(x)) {
      const kernels::Affine coefficients = affine(pass.params, x);
      if (trained) slope_grad = kernels::affine_act_sums(x, Tensor(), coefficients, pass.grad).slope;
      const Tensor& zero = coefficients.shift;
      if (pass.wanted[0]) {
        pass.input_grads[0] = kernels::affine_act_backward(x, Tensor(), coefficients, pass.grad, zero, zero, pass.owns_grad(), nullptr);
      }
    } else {
      pass.input_grads[0] = activate_backward(Activation::kPRelu, pass.grad, x, pass.params.compute("weight"), &slope_grad);
    }
    if (!trained) return;
    const bool shared = pass.params.master("weight").numel() == 1;
    pass.params.add_grad("weight", shared ? slope_grad.sum().view({1}) : slope_grad);
  }

 private:
  // x as it is, as an affine map of itself.
  static kernels::Affine affine(NodeParameters& params, const Tensor& x) {
    const Tensor slope = params.master("weight").to(kernels::wide_type(x.scalar_type())).expand({x.size(1)}).contiguous();
    const Tensor zero = at::zeros_like(slope);
    return {.mean = zero, .scale = at::ones_like(slope), .shift = zero, .slope = slope, .activation = Activation::kPRelu};
  }

  // ... and on CUDA as a batch norm that does not normalise.
  static kernels::cuda::BatchNormLayer layer(NodeParameters& params, const Tensor& x) {
    kernels::cuda::BatchNormLayer identity;
    identity.slope = params.master("weight").to(kernels::wide_type(x.scalar_type()));
    identity.activation = Activation::kPRelu;
    return identity;
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
