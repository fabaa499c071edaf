// What a source of batches hands to the training thread.
#pragma once

#include <memory>
#include <vector>

#include "core/tensor.h"

namespace facex::data {

struct Batch {
  // One tensor a view (1 for classification, 2 for semi-siamese pairs): uint8 [N, H, W, 3], or floating [N, 3, H, W]
  // when the batches come from memory. Of a loader for a device they lie there, for the current stream of the thread that
  // called next().
  std::vector<Tensor> images;
  Tensor labels;                 // [N] int64
  std::vector<uint32_t> indices; // sample indices, view-major, for messages
};

class BatchSource {
 public:
  virtual ~BatchSource() = default;
  // Blocks until the next batch of the current epoch is ready. Throws what a worker threw.
  virtual Batch next() = 0;
  // Seconds that next() has waited since the source was made; the "data wait" share of the log.
  virtual double wait_seconds() const = 0;
};

}  // namespace facex::data
