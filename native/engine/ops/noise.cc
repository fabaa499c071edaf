// Dropout and drop path. Masks are a function of the pass's random key and the node, drawn by counter, so that they do
// not depend on threads and come out the same after a resume, and for any number of processes that share a batch.
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include "core/random.h"
#include "engine/ops/ops.h"

namespace facex::engine {

namespace {

// 0 with probability p, else 1 / (1 - p); as many as `count`, in the dtype and on the device of `like`.
Tensor draw_mask(int64_t count, double p, const Forward& pass) {
  constexpr int64_t kBlock = 4096;  // one stream a block of the whole batch
  const int64_t before = count * pass.mode.share, end = before + count;
  Tensor mask = at::empty({count}, at::kFloat);
  float* data = mask.mutable_data_ptr<float>();
  const float kept = static_cast<float>(1.0 / (1.0 - p));
  at::parallel_for(before / kBlock, (end + kBlock - 1) / kBlock, 1, [&](int64_t first_block, int64_t end_block) {
    for (int64_t block = first_block; block < end_block; ++block) {
      Random random(pass.mode.random_key, pass.node.id, static_cast<uint64_t>(block));
      const int64_t last = std::min(end, (block + 1) * kBlock);
      for (int64_t i = block * kBlock; i < last; ++i) {
        const float drawn = random.uniform() < p ? 0.0f : kept;
        if (i >= before) data[i - before] = drawn;
      }
    }
  });
  return mask.to(pass.input().options());
}

// One decision for each element, or for each entry of the batch.
template <bool per_entry>
class Drop final : public Op {
 public:
  explicit Drop(const Attributes& attrs) : p_(attrs.number("p")) {}

  Tensor forward(Forward& pass) const override {
    const Tensor& x = pass.input();
    if (!pass.mode.stochastic || p_ == 0) return x;
    std::vector<int64_t> sizes = x.sizes().vec();
    if (per_entry) std::fill(sizes.begin() + 1, sizes.end(), 1);
    const int64_t count = per_entry ? x.size(0) : x.numel();
    const Tensor mask = p_ >= 1 ? x.new_zeros(sizes) : draw_mask(count, p_, pass).view(sizes);
    pass.kept = {mask};
    return x.mul(mask);
  }
  void backward(Backward& pass) const override {
    pass.input_grads[0] = pass.kept.empty() ? pass.grad : pass.grad.mul(pass.kept[0]);
  }

 private:
  double p_;
};

}  // namespace

std::unique_ptr<Op> make_dropout(const Node& node) { return make_op<Drop<false>>(node); }
std::unique_ptr<Op> make_drop_path(const Node& node) { return make_op<Drop<true>>(node); }

}  // namespace facex::engine
