// Heads that mine hard classes and shift their cosines by a straight line: another class is hard when its cosine
// exceeds the row's threshold, and its logit is then s (weight cos + offset) instead of s cos. Which classes are hard
// is taken as constant, so the gradient has no term through the threshold.
#pragma once

#include "heads/fused/margin.h"

namespace facex::heads::fused {

template <typename T>
struct MinedMargin : Margin<T> {
  T weight = 1, offset = 0;

  MinedOthers<T> form() const { return {this->scale, weight, offset}; }
};

}  // namespace facex::heads::fused
