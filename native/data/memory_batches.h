// Batches given as tensors instead of files: for tests and for callers with data of their own.
#pragma once

#include <deque>
#include <mutex>

#include "core/error.h"
#include "data/batch.h"

namespace facex::data {

class MemoryBatches final : public BatchSource {
 public:
  void push(Batch batch) {
    const std::lock_guard lock(mutex_);
    batches_.push_back(std::move(batch));
  }

  Batch next() override {
    const std::lock_guard lock(mutex_);
    if (batches_.empty()) fail(ErrorCode::kData, "no batch left: push one for each step of the run");
    Batch batch = std::move(batches_.front());
    batches_.pop_front();
    return batch;
  }

  double wait_seconds() const override { return 0; }

 private:
  std::mutex mutex_;
  std::deque<Batch> batches_;
};

}  // namespace facex::data
