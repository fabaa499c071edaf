// Several tensors as plain memory, cut into blocks of a fixed size that threads share: one parallel region for all of
// them, and a split that does not depend on the number of threads.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/tensor.h"

namespace facex::training {

class Blocks {
 public:
  static constexpr int64_t kSize = 1 << 14;  // elements; a block of each of four float32 arrays fits the second cache

  explicit Blocks(const std::vector<Tensor>& tensors) {
    firsts_.reserve(tensors.size());
    sizes_.reserve(tensors.size());
    for (const Tensor& tensor : tensors) {
      firsts_.push_back(count_);
      sizes_.push_back(tensor.numel());
      count_ += (tensor.numel() + kSize - 1) / kSize;
    }
  }

  int64_t count() const { return count_; }

  // body(block, tensor, first element, number of elements), from several threads.
  template <typename Body>
  void each(Body body) const {
    at::parallel_for(0, count_, /*grain_size=*/4, [&](int64_t begin, int64_t end) {
      // The last tensor that starts at or before the block: one without elements has no block of its own.
      auto tensor = static_cast<size_t>(std::upper_bound(firsts_.begin(), firsts_.end(), begin) - firsts_.begin()) - 1;
      for (int64_t block = begin; block < end; ++block) {
        while (tensor + 1 < firsts_.size() && firsts_[tensor + 1] <= block) ++tensor;
        const int64_t first = (block - firsts_[tensor]) * kSize;
        body(block, tensor, first, std::min(kSize, sizes_[tensor] - first));
      }
    });
  }

 private:
  std::vector<int64_t> firsts_, sizes_;  // first block and elements of each tensor
  int64_t count_ = 0;
};

}  // namespace facex::training
