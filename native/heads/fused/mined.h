// Heads that mine hard classes and shift their cosines by a straight line: another class is hard when its cosine
// exceeds the row's threshold, and its logit is then s (weight cos + offset) instead of s cos. Which classes are hard
// is taken as constant, so the gradient has no term through the threshold.
#pragma once

#include "heads/fused/margin.h"

namespace facex::heads::fused {

template <typename T>
struct MinedMargin : Margin<T> {
  T weight = 1, offset = 0;

  void others(const Row<T>& row, const T* __restrict__ cosines, T* __restrict__ logits, int64_t count) const {
    const T threshold = row.threshold, s = this->scale;
    for (int64_t j = 0; j < count; ++j) logits[j] = s * (cosines[j] > threshold ? weight * cosines[j] + offset : cosines[j]);
  }

  void backward(Row<T>& row, const T* __restrict__ cosines, T* __restrict__ grad, int64_t count) const {
    const T threshold = row.threshold, s = this->scale, hard = s * weight;
    for (int64_t j = 0; j < count; ++j) grad[j] *= cosines[j] > threshold ? hard : s;
  }
};

}  // namespace facex::heads::fused
