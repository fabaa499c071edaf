// Pooling and resampling of images.
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/avg_pool2d_backward.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/max_pool2d_with_indices.h>
#include <ATen/ops/max_pool2d_with_indices_backward.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/upsample_bilinear2d_backward.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <ATen/ops/upsample_nearest2d_backward.h>

#include "engine/ops/ops.h"

namespace facex::engine {

namespace {

class MaxPool2d final : public Op {
 public:
  explicit MaxPool2d(const Attributes& attrs)
      : kernel_(attrs.integers("kernel")), stride_(attrs.integers("stride")), padding_(attrs.integers("padding")), ceil_(attrs.flag("ceil_mode")) {}

  Tensor forward(Forward& pass) const override {
    if (picks()) return sites(pass.input()).contiguous(pass.input().suggest_memory_format());
    auto [output, indices] = at::max_pool2d_with_indices(pass.input(), kernel_, stride_, padding_, kNoDilation, ceil_);
    pass.kept = {indices};
    return output;
  }
  void backward(Backward& pass) const override {
    if (picks()) {
      pass.input_grads[0] = stride_[0] == 1 && stride_[1] == 1 ? pass.grad : spread(pass.grad, pass.input_sizes[0]);
      return;
    }
    pass.input_grads[0] = at::max_pool2d_with_indices_backward(pass.grad, pass.input(), kernel_, stride_, padding_, kNoDilation, ceil_, pass.kept[0]);
  }

 private:
  // A kernel of one pixel, as in the shortcuts of ResNet-ir, picks every so many pixels: with stride 1 nothing is to do.
  bool picks() const { return kernel_[0] == 1 && kernel_[1] == 1 && padding_[0] == 0 && padding_[1] == 0; }
  Tensor sites(const Tensor& x) const { return x.slice(2, 0, x.size(2), stride_[0]).slice(3, 0, x.size(3), stride_[1]); }
  Tensor spread(const Tensor& grad, const std::vector<int64_t>& sizes) const {
    const Tensor result = at::empty(sizes, grad.options(), grad.suggest_memory_format()).zero_();
    sites(result).copy_(grad);
    return result;
  }

  static constexpr int64_t kNoDilation[] = {1, 1};
  std::vector<int64_t> kernel_, stride_, padding_;
  bool ceil_;
};

class AvgPool2d final : public Op {
 public:
  explicit AvgPool2d(const Attributes& attrs)
      : kernel_(attrs.integers("kernel")), stride_(attrs.integers("stride")), padding_(attrs.integers("padding")),
        ceil_(attrs.flag("ceil_mode")), count_padding_(attrs.flag("count_include_pad")) {}

  Tensor forward(Forward& pass) const override {
    return at::avg_pool2d(pass.input(), kernel_, stride_, padding_, ceil_, count_padding_, at::nullopt);
  }
  void backward(Backward& pass) const override {
    // libtorch 2.11's CUDA kernel for channels-last values adds up wrongly where windows overlap.
    const bool flawed = pass.grad.is_cuda();
    const Tensor x = flawed ? pass.input().contiguous() : pass.input(), grad = flawed ? pass.grad.contiguous() : pass.grad;
    const Tensor found = at::avg_pool2d_backward(grad, x, kernel_, stride_, padding_, ceil_, count_padding_, at::nullopt);
    pass.input_grads[0] = flawed ? found.contiguous(at::MemoryFormat::ChannelsLast) : found;
  }

 private:
  std::vector<int64_t> kernel_, stride_, padding_;
  bool ceil_, count_padding_;
};

class GlobalAvgPool final : public Op {
 public:
  Tensor forward(Forward& pass) const override { return pass.input().mean({2, 3}, /*keepdim=*/true); }
  void backward(Backward& pass) const override {
    const std::vector<int64_t>& sizes = pass.input_sizes[0];
    const double count = static_cast<double>(sizes[2] * sizes[3]);
    pass.input_grads[0] = pass.grad.div(count).expand(sizes);  // added to another gradient, it need not be written out
  }
};

class Upsample final : public Op {
 public:
  explicit Upsample(const Attributes& attrs)
      : size_(attrs.integers("size")), bilinear_(attrs.text("mode") == "bilinear"), align_(attrs.flag("align_corners")) {}

  Tensor forward(Forward& pass) const override {
    return bilinear_ ? at::upsample_bilinear2d(pass.input(), size_, align_) : at::upsample_nearest2d(pass.input(), size_);
  }
  void backward(Backward& pass) const override {
    const std::vector<int64_t>& sizes = pass.input_sizes[0];
    pass.input_grads[0] = bilinear_ ? at::upsample_bilinear2d_backward(pass.grad, size_, sizes, align_)
                                    : at::upsample_nearest2d_backward(pass.grad, size_, sizes);
  }

 private:
  std::vector<int64_t> size_;
  bool bilinear_, align_;
};

class Pad final : public Op {
 public:
  explicit Pad(const Attributes& attrs)
      : left_(attrs.integer("left")), right_(attrs.integer("right")), top_(attrs.integer("top")), bottom_(attrs.integer("bottom")) {}

  Tensor forward(Forward& pass) const override { return at::constant_pad_nd(pass.input(), {left_, right_, top_, bottom_}); }
  void backward(Backward& pass) const override {
    const Tensor& g = pass.grad;
    pass.input_grads[0] = g.narrow(2, top_, g.size(2) - top_ - bottom_).narrow(3, left_, g.size(3) - left_ - right_);
  }

 private:
  int64_t left_, right_, top_, bottom_;
};

}  // namespace

std::unique_ptr<Op> make_max_pool2d(const Node& node) { return make_op<MaxPool2d>(node); }
std::unique_ptr<Op> make_avg_pool2d(const Node& node) { return make_op<AvgPool2d>(node); }
std::unique_ptr<Op> make_global_avg_pool(const Node& node) { return make_op<GlobalAvgPool>(node); }
std::unique_ptr<Op> make_upsample(const Node& node) { return make_op<Upsample>(node); }
std::unique_ptr<Op> make_pad(const Node& node) { return make_op<Pad>(node); }

}  // namespace facex::engine
