#include "heads/partial_fc.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/random.h"

namespace facex::heads {

namespace {

class PartialFc final : public Head {
 public:
  PartialFc(const Definition& definition, const HeadOptions& options, MakeHead make)
      : definition_(definition), options_(options), make_(make), state_(make_state(definition, options)) {}

  State& state() override { return state_; }
  void initialise(uint64_t seed) override { initialise_state(state_, definition_, options_, seed); }

  HeadResult run(const HeadRequest& request) override {
    const at::NoGradGuard no_grad;
    check_request(request, options_);
    const std::vector<int64_t> classes = sample(request);
    make_inner(static_cast<int64_t>(classes.size()), count_all(static_cast<int64_t>(classes.size())));
    const Tensor index = at::tensor(classes, at::kLong).to(options_.centres_device);

    for (const ClassEntry& part : class_entries(definition_, options_)) {
      Entry& inside = *inner_->state().find(part.name);
      copy_slices(state_.find(part.name)->value, slices(index, part.width), part.dim, inside.value);
      ++inside.version;
    }
    HeadRequest inner = request;
    inner.labels = positions(classes, request.labels);
    const HeadResult result = inner_->run(inner);
    for (const ClassEntry& part : class_entries(definition_, options_)) {
      Entry& inside = *inner_->state().find(part.name);
      if (inside.grad.defined()) {
        accumulate_grad_slices(*state_.find(part.name), inside.grad.to(options_.centres_device), slices(index, part.width), part.dim);
      }
      clear_grad(inside);
    }
    return result;
  }

 private:
  std::vector<ExtraEntry> extras(const HeadOptions& options) const {
    return definition_.extras == nullptr ? std::vector<ExtraEntry>() : definition_.extras(options);
  }

  std::vector<int64_t> sample(const HeadRequest& request) const {
    const Tensor labels = request.labels.to(at::kCPU).contiguous();
    std::vector<int64_t> kept(labels.const_data_ptr<int64_t>(), labels.const_data_ptr<int64_t>() + labels.numel());
    std::erase(kept, -1);  // classes of other ranks
    std::sort(kept.begin(), kept.end());
    kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
    const auto wanted = static_cast<int64_t>(std::ceil(options_.sample_rate * static_cast<double>(options_.num_class)));
    return sample_classes(kept, options_.num_class, std::max(wanted, static_cast<int64_t>(kept.size())), key(request));
  }

  // Each rank draws its own sample of its own classes.
  uint64_t key(const HeadRequest& request) const {
    const auto& group = options_.share.group;
    return group ? Random(request.random_key, static_cast<uint64_t>(group->rank())).next() : request.random_key;
  }

  // Classes of the samples of all ranks.
  int64_t count_all(int64_t own) const {
    if (!options_.share.group) return own;
    const Tensor count = at::full({1}, own, at::kLong);
    options_.share.group->all_reduce(count, Reduction::kSum);
    return count.item<int64_t>();
  }

  // The head for `count` classes of `total` on all ranks, which shares with this one all state that does not belong to a
  // class.
  void make_inner(int64_t count, int64_t total) {
    if (inner_ && inner_classes_ == count && inner_total_ == total) return;
    HeadOptions options = options_;
    options.num_class = count;
    options.sample_rate = 1;
    options.centres_device = options.device;
    options.share.total = total;
    inner_ = make_(definition_, options);
    inner_classes_ = count;
    inner_total_ = total;
    for (const ExtraEntry& extra : extras(options)) {
      if (!extra.per_class) inner_->state().find(extra.name)->value = state_.find(extra.name)->value;
    }
  }

  static Tensor slices(const Tensor& classes, int64_t width) {
    if (width == 1) return classes;
    return (classes.unsqueeze(1) * width + at::arange(width, classes.options())).flatten();
  }

  static Tensor positions(const std::vector<int64_t>& classes, const Tensor& labels) {
    Tensor result = labels.to(at::kCPU).contiguous().clone();
    int64_t* label = result.mutable_data_ptr<int64_t>();
    for (int64_t row = 0; row < result.numel(); ++row) {
      if (label[row] >= 0) label[row] = std::lower_bound(classes.begin(), classes.end(), label[row]) - classes.begin();
    }
    return result.to(labels.device());
  }

  const Definition& definition_;
  const HeadOptions options_;
  const MakeHead make_;
  State state_;
  std::unique_ptr<Head> inner_;
  int64_t inner_classes_ = 0, inner_total_ = 0;
};

}  // namespace

namespace {

// `wanted` of the numbers below `population` as a set of bits: Floyd's sampling without replacement (Bentley and Floyd,
// "Programming pearls: a sample of brilliance", 1987), one draw for each that is wanted.
std::vector<uint64_t> sample_ranks(int64_t population, int64_t wanted, uint64_t random_key) {
  std::vector<uint64_t> bits((population + 63) / 64);
  const auto insert = [&bits](int64_t rank) {
    const uint64_t bit = uint64_t{1} << (rank % 64);
    const bool fresh = (bits[rank / 64] & bit) == 0;
    bits[rank / 64] |= bit;
    return fresh;
  };
  Random random(random_key);
  for (int64_t last = population - wanted; last < population; ++last) {
    if (!insert(random.below(static_cast<uint32_t>(last + 1)))) insert(last);
  }
  return bits;
}

}  // namespace

std::unique_ptr<Head> make_partial_fc(const Definition& definition, const HeadOptions& options, MakeHead make) {
  return std::make_unique<PartialFc>(definition, options, make);
}

std::vector<int64_t> sample_classes(const std::vector<int64_t>& kept, int64_t classes, int64_t count, uint64_t random_key) {
  const int64_t others = classes - static_cast<int64_t>(kept.size()), wanted = count - static_cast<int64_t>(kept.size());
  const std::vector<uint64_t> drawn = sample_ranks(others, wanted, random_key);
  std::vector<int64_t> chosen;
  chosen.reserve(count);
  auto next_kept = kept.begin();
  int64_t smaller = 0;  // kept labels below the next one: rank r among the others is label r + smaller
  for (size_t word = 0; word < drawn.size(); ++word) {
    for (uint64_t bits = drawn[word]; bits != 0; bits &= bits - 1) {
      const int64_t rank = static_cast<int64_t>(word) * 64 + std::countr_zero(bits);
      for (; next_kept != kept.end() && *next_kept <= rank + smaller; ++next_kept, ++smaller) chosen.push_back(*next_kept);
      chosen.push_back(rank + smaller);
    }
  }
  chosen.insert(chosen.end(), next_kept, kept.end());
  return chosen;
}

}  // namespace facex::heads
