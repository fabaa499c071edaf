// Token grids of Swin Transformer (arXiv:2103.14030): shifted windows and patch merging.
#include <ATen/ops/cat.h>
#include <ATen/ops/roll.h>

#include "engine/ops/ops.h"

namespace facex::engine {

namespace {

struct Grid {
  explicit Grid(const Attributes& attrs)
      : height(attrs.integers("grid")[0]), width(attrs.integers("grid")[1]), window(attrs.integer("window")), shift(attrs.integer("shift")) {}

  // [B, H * W, C] -> [B * windows, w * w, C]
  Tensor partition(const Tensor& x) const {
    const int64_t channels = x.size(2);
    Tensor grid = x.reshape({x.size(0), height, width, channels});
    if (shift != 0) grid = at::roll(grid, {-shift, -shift}, {1, 2});
    return grid.reshape({x.size(0), height / window, window, width / window, window, channels})
        .permute({0, 1, 3, 2, 4, 5})
        .reshape({-1, window * window, channels});
  }
  // [B * windows, w * w, C] -> [B, H * W, C]
  Tensor reverse(const Tensor& x) const {
    const int64_t channels = x.size(2);
    Tensor grid = x.reshape({-1, height / window, width / window, window, window, channels})
                      .permute({0, 1, 3, 2, 4, 5})
                      .reshape({-1, height, width, channels});
    if (shift != 0) grid = at::roll(grid, {shift, shift}, {1, 2});
    return grid.reshape({-1, height * width, channels});
  }

  int64_t height, width, window, shift;
};

// Both are permutations, so each is the other's backward.
class WindowPartition final : public Op {
 public:
  explicit WindowPartition(const Attributes& attrs) : grid_(attrs) {}
  Tensor forward(Forward& pass) const override { return grid_.partition(pass.input()); }
  void backward(Backward& pass) const override { pass.input_grads[0] = grid_.reverse(pass.grad); }

 private:
  Grid grid_;
};

class WindowReverse final : public Op {
 public:
  explicit WindowReverse(const Attributes& attrs) : grid_(attrs) {}
  Tensor forward(Forward& pass) const override { return grid_.reverse(pass.input()); }
  void backward(Backward& pass) const override { pass.input_grads[0] = grid_.partition(pass.grad); }

 private:
  Grid grid_;
};

// The four tokens of a 2 x 2 block in the order (row, column) = (even, even), (odd, even), (even, odd), (odd, odd).
class PatchMerge final : public Op {
 public:
  explicit PatchMerge(const Attributes& attrs) : height_(attrs.integers("grid")[0]), width_(attrs.integers("grid")[1]) {}

  Tensor forward(Forward& pass) const override {
    const Tensor& x = pass.input();
    return x.reshape({x.size(0), height_ / 2, 2, width_ / 2, 2, x.size(2)})
        .permute({0, 1, 3, 4, 2, 5})
        .reshape({x.size(0), height_ * width_ / 4, 4 * x.size(2)});
  }
  void backward(Backward& pass) const override {
    const Tensor& g = pass.grad;
    const int64_t channels = g.size(2) / 4;
    pass.input_grads[0] = g.reshape({g.size(0), height_ / 2, width_ / 2, 2, 2, channels})
                              .permute({0, 1, 4, 2, 3, 5})
                              .reshape({g.size(0), height_ * width_, channels});
  }

 private:
  int64_t height_, width_;
};

}  // namespace

std::unique_ptr<Op> make_window_partition(const Node& node) { return make_op<WindowPartition>(node); }
std::unique_ptr<Op> make_window_reverse(const Node& node) { return make_op<WindowReverse>(node); }
std::unique_ptr<Op> make_patch_merge(const Node& node) { return make_op<PatchMerge>(node); }

}  // namespace facex::engine
