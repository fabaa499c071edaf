// Copies of all buffers (running statistics, adaptive head state) from before a step, so that a step whose loss is not
// finite can be undone: by then its forward passes have written NaN into them.
#pragma once

#include <vector>

#include "training/parts.h"

namespace facex::training {

class BufferSnapshot {
 public:
  explicit BufferSnapshot(const Parts& parts);
  void restore();

 private:
  struct Copy {
    Entry* entry;
    Tensor value;
  };
  std::vector<Copy> copies_;
};

}  // namespace facex::training
