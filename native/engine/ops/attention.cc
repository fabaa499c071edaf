// Multi-head self-attention on joint (q | k | v) tokens, with Swin's relative position bias and window mask.
#include <ATen/ops/_softmax.h>
#include <ATen/ops/_softmax_backward_data.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros_like.h>

#include "engine/ops/ops.h"

namespace facex::engine {

namespace {

class Attention final : public Op {
 public:
  explicit Attention(const Attributes& attrs) : heads_(attrs.integer("heads")), scale_(attrs.number("scale")) {}

  Tensor forward(Forward& pass) const override {
    const Tensor qkv = split(pass.input());
    Tensor scores = at::matmul(qkv[0], qkv[1].transpose(-2, -1)).mul_(scale_);  // [B, heads, T, T]
    if (pass.params.has("bias_table")) scores.add_(bias(pass.params));
    if (pass.params.has("mask")) {
      const Tensor mask = pass.params.compute("mask");  // [W, T, T]
      windows(scores, mask.size(0)).add_(mask.unsqueeze(1).unsqueeze(0));
    }
    const Tensor weights = at::_softmax(scores, -1, /*half_to_float=*/false);
    pass.kept = {weights};
    return join(at::matmul(weights, qkv[2]));
  }

  void backward(Backward& pass) const override {
    const Tensor qkv = split(pass.input());
    const Tensor& weights = pass.kept[0];
    const Tensor grad = pass.grad.reshape({pass.grad.size(0), pass.grad.size(1), heads_, -1}).transpose(1, 2);
    const Tensor grad_scores =
        at::_softmax_backward_data(at::matmul(grad, qkv[2].transpose(-2, -1)), weights, -1, weights.scalar_type());
    if (pass.params.wants_grad("bias_table")) add_bias_grad(pass.params, grad_scores);
    if (!pass.wanted[0]) return;
    Tensor grad_qkv = at::empty_like(qkv);  // [3, B, heads, T, d], strided as the operand
    grad_qkv[0].copy_(at::matmul(grad_scores, qkv[1]).mul_(scale_));
    grad_qkv[1].copy_(at::matmul(grad_scores.transpose(-2, -1), qkv[0]).mul_(scale_));
    grad_qkv[2].copy_(at::matmul(weights.transpose(-2, -1), grad));
    pass.input_grads[0] = grad_qkv.permute({1, 3, 0, 2, 4}).reshape(pass.input().sizes());
  }

 private:
  // [B, T, 3C] -> [3, B, heads, T, d]
  Tensor split(const Tensor& x) const {
    return x.reshape({x.size(0), x.size(1), 3, heads_, x.size(2) / 3 / heads_}).permute({2, 0, 3, 1, 4});
  }
  // [B, heads, T, d] -> [B, T, C]
  Tensor join(const Tensor& x) const { return x.transpose(1, 2).reshape({x.size(0), x.size(2), heads_ * x.size(3)}); }
  // A view of [B, heads, T, T] with the windows of an image apart: [images, W, heads, T, T].
  Tensor windows(const Tensor& scores, int64_t count) const {
    return scores.view({scores.size(0) / count, count, heads_, scores.size(2), scores.size(3)});
  }
  // bias_table[index] as [heads, T, T].
  static Tensor bias(NodeParameters& params) {
    const Tensor index = params.master("index");
    return params.compute("bias_table").index_select(0, index.view(-1)).view({index.size(0), index.size(1), -1}).permute({2, 0, 1});
  }
  static void add_bias_grad(NodeParameters& params, const Tensor& grad_scores) {
    const Tensor table = params.master("bias_table");
    const Tensor index = params.master("index").view(-1);
    const Tensor grad = grad_scores.sum({0}, /*keepdim=*/false, table.scalar_type()).view({table.size(1), -1}).t();
    params.add_grad("bias_table", at::zeros_like(table).index_add_(0, index, grad));
  }

  int64_t heads_;
  double scale_;
};

}  // namespace

std::unique_ptr<Op> make_attention(const Node& node) { return make_op<Attention>(node); }

}  // namespace facex::engine
