// Batches of decoded images, made ahead of the consumer by a few threads.
//
// Work is handed out in short runs of samples in the order of the epoch, so that the batch needed next is finished
// first. What a sample looks like depends on (seed, epoch, position in the order) only: batches are the same for any
// number of threads, and an epoch begun in the middle continues as if it had been read from its start.
#pragma once

#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "core/copy_stream.h"
#include "data/batch.h"
#include "data/sample.h"

namespace facex::data {

struct LoaderOptions {
  SampleOptions sample;
  std::vector<AugmentationSpec> augmentations;
  int batch_size = 1;  // samples of a batch
  int share = 0, shares = 1;  // hand out only this one of so many equal parts of each batch: the part of one process
  int views = 1;       // images of a sample
  int threads = 1;
  int prefetch = 2;    // batches made ahead
  c10::Device device = at::kCPU;  // where images are handed out; the copy begins when the last of a batch is decoded
  uint64_t seed = 0;
};

class Loader final : public BatchSource {
 public:
  Loader(std::unique_ptr<Source> source, LoaderOptions options);
  ~Loader() override;

  // Starts an epoch: `order` holds sample indices, the views of a sample side by side. Batches of an epoch begun
  // before are dropped. A last batch of fewer than batch_size samples is handed out only with `keep_last`.
  void begin(std::vector<uint32_t> order, uint64_t epoch, uint64_t first_batch, bool keep_last);

  // Throws kData at the end of the epoch, and what a worker met: with several faults in a batch, the first in order.
  Batch next() override;
  // False at the end of the epoch and before the first.
  bool has_next() const;

  double wait_seconds() const override;
  // Each bad image once.
  std::vector<BadImage> take_bad_images() { return bad_images_.take(); }

 private:
  // A batch in the making.
  struct Slot {
    Batch batch;
    size_t samples = 0;
    size_t missing = 0;        // images not finished yet
    size_t error_position = 0;
    std::exception_ptr error;  // of the first image in order that failed
    std::optional<Arrival> arrival;  // of finished images on a device
  };
  // A run of images of one batch: positions [first, last) of the order. The tensors are the slot's.
  struct Task {
    size_t batch_index = 0;
    size_t first = 0;
    size_t last = 0;
    std::vector<Tensor> images;
    Tensor labels;
    uint32_t* indices = nullptr;  // stays while the batch has missing images
  };

  size_t images_a_batch() const { return static_cast<size_t>(options_.batch_size) * static_cast<size_t>(options_.views); }
  // Positions [begin_of, end_of) of the order are handed out as that batch.
  size_t begin_of(size_t batch) const { return batch * images_a_batch() + images_a_batch() / shares() * static_cast<size_t>(options_.share); }
  size_t end_of(size_t batch) const { return std::min(begin_of(batch) + images_a_batch() / shares(), order_.size()); }
  size_t shares() const { return static_cast<size_t>(options_.shares); }
  Slot& slot_of(size_t batch) { return slots_[batch % slots_.size()]; }
  void work();
  bool has_work() const;
  Task take_task();
  void open_slot(size_t batch);
  void allocate(Slot& slot, size_t images) const;
  void run_task(SampleReader& reader, const Task& task, size_t& position);
  void send(Slot& slot) const;
  void close();

  const std::unique_ptr<Source> source_;
  const LoaderOptions options_;
  const AugmentationChain augmentations_;
  const std::optional<CopyStream> copies_;  // where the device is not the CPU
  BadImages bad_images_;

  mutable std::mutex mutex_;
  std::condition_variable work_ready_;  // for workers
  std::condition_variable task_done_;   // for next() and begin()
  // Written by begin() only while no worker is busy, read by busy workers without the lock.
  std::vector<uint32_t> order_;
  uint64_t epoch_ = 0;
  // Guarded by the mutex.
  std::vector<Slot> slots_;  // batch b lives in slot b % prefetch
  size_t batches_ = 0;       // end of this epoch
  size_t next_batch_ = 0;    // the consumer's
  size_t next_position_ = 0; // of the order: the first image nobody has taken yet
  size_t busy_ = 0;          // workers on a task
  bool closing_ = false;
  double wait_seconds_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace facex::data
