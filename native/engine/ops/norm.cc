// Normalisation along the last dimension.
#include <ATen/ops/native_layer_norm.h>
#include <ATen/ops/native_layer_norm_backward.h>
#include <ATen/ops/norm.h>

#include "engine/ops/ops.h"

namespace facex::engine {

namespace {

class LayerNorm final : public Op {
 public:
  explicit LayerNorm(const Attributes& attrs) : eps_(attrs.number("eps")) {}

  Tensor forward(Forward& pass) const override {
    const Tensor& x = pass.input();
    auto [output, mean, inverse_std] = at::native_layer_norm(x, x.sizes().slice(x.dim() - 1), pass.params.compute("weight"), pass.params.compute("bias"), eps_);
    pass.kept = {mean, inverse_std};
    return output;
  }

  void backward(Backward& pass) const override {
    const Tensor& x = pass.input();
    const std::array<bool, 3> mask = {pass.wanted[0], pass.params.wants_grad("weight"), pass.params.wants_grad("bias")};
    auto [grad, weight_grad, bias_grad] = at::native_layer_norm_backward(
        pass.grad.contiguous(), x, x.sizes().slice(x.dim() - 1), pass.kept[0], pass.kept[1], pass.params.compute("weight"), pass.params.compute("bias"), mask);
    if (mask[0]) pass.input_grads[0] = grad;
    if (mask[1]) pass.params.add_grad("weight", weight_grad);
    if (mask[2]) pass.params.add_grad("bias", bias_grad);
  }

 private:
  double eps_;
};

// y = x / max(|x|, eps); dx = (g - y (g . y)) / |x| where |x| > eps, else g / eps.
class L2Normalize final : public Op {
 public:
  explicit L2Normalize(const Attributes& attrs) : eps_(attrs.number("eps")) {}

  Tensor forward(Forward& pass) const override {
    const Tensor norm = pass.input().norm(2, {-1}, /*keepdim=*/true);
    pass.kept = {norm};
    return pass.input().div(norm.clamp_min(eps_));
  }

  void backward(Backward& pass) const override {
    const Tensor& norm = pass.kept[0];
    const Tensor along = pass.grad.mul(pass.output).sum({-1}, /*keepdim=*/true).mul_(norm.gt(eps_));
    pass.input_grads[0] = pass.grad.sub(pass.output.mul(along)).div_(norm.clamp_min(eps_));
  }

 private:
  double eps_;
};

}  // namespace

std::unique_ptr<Op> make_layer_norm(const Node& node) { return make_op<LayerNorm>(node); }
std::unique_ptr<Op> make_l2_normalize(const Node& node) { return make_op<L2Normalize>(node); }

}  // namespace facex::engine
