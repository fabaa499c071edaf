// Ops of several operands.
#include <ATen/ops/cat.h>
#include <ATen/ops/maximum.h>

#include <algorithm>

#include "engine/kernels/channels.h"
#include "engine/kernels/gate.h"
#include "engine/ops/ops.h"

namespace facex::engine {

namespace {

class Add final : public Op {
 public:
  Tensor forward(Forward& pass) const override {
    if (pass.owns_input(0)) return Tensor(pass.input(0)).add_(pass.input(1));
    if (pass.owns_input(1)) return Tensor(pass.input(1)).add_(pass.input(0));
    return pass.input(0).add(pass.input(1));
  }
  void backward(Backward& pass) const override { pass.input_grads = {pass.grad, pass.grad}; }
};

class AddChannels final : public Op {
 public:
  Tensor forward(Forward& pass) const override {
    Tensor sum = pass.input(0).clone();
    sum.narrow(1, 0, pass.input(1).size(1)).add_(pass.input(1));
    return sum;
  }
  void backward(Backward& pass) const override {
    pass.input_grads[0] = pass.grad;
    if (pass.wanted[1]) pass.input_grads[1] = pass.grad.narrow(1, 0, pass.input_sizes[1][1]);
  }
};

// Of one shape, or an image times a gate [N, C, 1, 1].
class Mul final : public Op {
 public:
  Tensor forward(Forward& pass) const override {
    const Tensor& x = pass.input(0);
    const Tensor& gate = pass.input(1);
    if (kernels::gate_takes(x, gate)) return kernels::gated(x, gate, pass.owns_input(0));
    return pass.owns_input(0) ? Tensor(x).mul_(gate) : x.mul(gate);
  }
  void backward(Backward& pass) const override {
    if (pass.wanted[0] && pass.wanted[1] && kernels::gate_takes(pass.input(0), pass.input(1))) {
      const auto grads = kernels::gated_backward(pass.input(0), pass.input(1), pass.grad, pass.owns_grad());
      pass.input_grads = {grads.x, grads.gate};
      return;
    }
    if (pass.wanted[0]) pass.input_grads[0] = pass.grad.mul(pass.input(1));
    if (!pass.wanted[1]) return;
    const Tensor grad = pass.grad.mul(pass.input(0));
    pass.input_grads[1] = grad.sizes() == pass.input(1).sizes() ? grad : grad.sum({2, 3}, /*keepdim=*/true);
  }
};

// On ties each operand receives half of the gradient, as in PyTorch.
class Maximum final : public Op {
 public:
  Tensor forward(Forward& pass) const override { return at::maximum(pass.input(0), pass.input(1)); }
  void backward(Backward& pass) const override {
    const Tensor& a = pass.input(0);
    const Tensor& b = pass.input(1);
    const Tensor half = pass.grad.masked_fill(a.ne(b), 0).mul_(0.5);
    if (pass.wanted[0]) pass.input_grads[0] = pass.grad.masked_fill(a.le(b), 0).add_(half);
    if (pass.wanted[1]) pass.input_grads[1] = pass.grad.masked_fill(b.le(a), 0).add_(half);
  }
};

class Concat final : public Op {
 public:
  explicit Concat(const Attributes& attrs) : dim_(attrs.integer("dim") + 1) {}
  Tensor forward(Forward& pass) const override {
    const bool sliced = dim_ == 1 && std::all_of(pass.inputs.begin(), pass.inputs.end(), kernels::is_channel_slice);
    return sliced ? kernels::joined_channels(pass.inputs) : at::cat(pass.inputs, dim_);
  }
  void backward(Backward& pass) const override {
    int64_t start = 0;
    for (size_t i = 0; i < pass.input_sizes.size(); ++i) {
      const int64_t extent = pass.input_sizes[i][static_cast<size_t>(dim_)];
      if (pass.wanted[i]) pass.input_grads[i] = pass.grad.narrow(dim_, start, extent);
      start += extent;
    }
  }

 private:
  int64_t dim_;
};

}  // namespace

std::unique_ptr<Op> make_add(const Node& node) { return make_op<Add>(node); }
std::unique_ptr<Op> make_add_channels(const Node& node) { return make_op<AddChannels>(node); }
std::unique_ptr<Op> make_mul(const Node& node) { return make_op<Mul>(node); }
std::unique_ptr<Op> make_maximum(const Node& node) { return make_op<Maximum>(node); }
std::unique_ptr<Op> make_concat(const Node& node) { return make_op<Concat>(node); }

}  // namespace facex::engine
