// Ops that move or rename elements. Row-major order is NCHW's, whatever the tensors' strides are.
#include <ATen/ops/empty.h>

#include "engine/ops/ops.h"

namespace facex::engine {

namespace {

std::vector<int64_t> with_batch(const Tensor& x, std::vector<int64_t> dims) {
  dims.insert(dims.begin(), x.size(0));
  return dims;
}

class Flatten final : public Op {
 public:
  Tensor forward(Forward& pass) const override { return pass.input().reshape({pass.input().size(0), -1}); }
  void backward(Backward& pass) const override { pass.input_grads[0] = pass.grad.reshape(pass.input_sizes[0]); }
};

class Reshape final : public Op {
 public:
  explicit Reshape(const Attributes& attrs) : dims_(attrs.integers("dims")) {}
  Tensor forward(Forward& pass) const override { return pass.input().reshape(with_batch(pass.input(), dims_)); }
  void backward(Backward& pass) const override { pass.input_grads[0] = pass.grad.reshape(pass.input_sizes[0]); }

 private:
  std::vector<int64_t> dims_;
};

class Permute final : public Op {
 public:
  explicit Permute(const Attributes& attrs) : order_{0} {
    for (int64_t dim : attrs.integers("order")) order_.push_back(dim + 1);
    inverse_.resize(order_.size());
    for (size_t i = 0; i < order_.size(); ++i) inverse_[static_cast<size_t>(order_[i])] = static_cast<int64_t>(i);
  }
  Tensor forward(Forward& pass) const override { return pass.input().permute(order_); }
  void backward(Backward& pass) const override { pass.input_grads[0] = pass.grad.permute(inverse_); }

 private:
  std::vector<int64_t> order_, inverse_;
};

class Slice final : public Op {
 public:
  explicit Slice(const Attributes& attrs)
      : dim_(attrs.integer("dim") + 1), start_(attrs.integer("start")), length_(attrs.integer("end") - start_) {}
  Tensor forward(Forward& pass) const override { return pass.input().narrow(dim_, start_, length_); }
  void backward(Backward& pass) const override {
    const at::MemoryFormat format = pass.grad.dim() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
    const Tensor grad = at::empty(pass.input_sizes[0], pass.grad.options().memory_format(format)).zero_();
    grad.narrow(dim_, start_, length_).copy_(pass.grad);
    pass.input_grads[0] = grad;
  }

 private:
  int64_t dim_, start_, length_;
};

}  // namespace

std::unique_ptr<Op> make_flatten(const Node& node) { return make_op<Flatten>(node); }
std::unique_ptr<Op> make_reshape(const Node& node) { return make_op<Reshape>(node); }
std::unique_ptr<Op> make_permute(const Node& node) { return make_op<Permute>(node); }
std::unique_ptr<Op> make_slice(const Node& node) { return make_op<Slice>(node); }

}  // namespace facex::engine
