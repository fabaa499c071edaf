// Layers with weights other than convolution: linear, added parameter.
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>

#include "core/product.h"
#include "engine/ops/ops.h"

namespace facex::engine {

namespace {

class Linear final : public Op {
 public:
  Tensor forward(Forward& pass) const override {
    const Tensor& x = pass.input();
    const Tensor weight = pass.params.compute("weight"), bias = pass.params.compute("bias");
    if (x.scalar_type() != at::kFloat) return at::linear(x, weight, bias);
    std::vector<int64_t> sizes = x.sizes().vec();
    sizes.back() = weight.size(0);
    const Tensor y = at::empty(sizes, x.options().memory_format(at::MemoryFormat::Contiguous));
    const Tensor rows = y.view({-1, weight.size(0)});
    if (bias.defined()) rows.copy_(bias);
    product(x.reshape({-1, weight.size(1)}), weight.t(), rows, /*add=*/bias.defined());
    return y;
  }

  void backward(Backward& pass) const override {
    const Tensor weight = pass.params.compute("weight");
    const Tensor grad = pass.grad.reshape({-1, weight.size(0)});
    if (pass.wanted[0]) pass.input_grads[0] = product(grad, weight).view(pass.input().sizes());
    if (pass.params.wants_grad("weight")) pass.params.add_grad("weight", product(grad.t(), pass.input().reshape({-1, weight.size(1)})));
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

std::unique_ptr<Op> make_linear(const Node& node) { return make_op<Linear>(node); }
std::unique_ptr<Op> make_add_parameter(const Node& node) { return make_op<AddParameter>(node); }

}  // namespace facex::engine
