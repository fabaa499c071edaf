#include "data/loader.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <chrono>

#include "core/error.h"

namespace facex::data {

namespace {

// Images of a task: few enough that all threads work on the batch needed next, enough to keep the lock cold.
constexpr size_t kRun = 8;

void check(const LoaderOptions& options) {
  const auto positive = [](const char* name, int value) {
    if (value < 1) fail(ErrorCode::kConfig, "loader: expected ", name, " of at least 1, got ", value);
  };
  positive("height", options.sample.height);
  positive("width", options.sample.width);
  positive("batch size", options.batch_size);
  positive("views", options.views);
  positive("threads", options.threads);
  positive("prefetch", options.prefetch);
  if (options.share < 0 || options.share >= options.shares || options.batch_size % options.shares != 0) {
    fail(ErrorCode::kConfig, "loader: expected a batch that ", options.shares, " processes can share equally, got ", options.batch_size, " samples and share ", options.share);
  }
  if (options.sample.full_height < options.sample.height) {
    fail(ErrorCode::kConfig, "loader: expected a full height of at least ", options.sample.height, ", got ", options.sample.full_height);
  }
}

}  // namespace

Loader::Loader(std::unique_ptr<Source> source, LoaderOptions options)
    : source_(std::move(source)),
      options_((check(options), std::move(options))),
      augmentations_(options_.augmentations, options_.sample.color),
      copies_(options_.device.is_cpu() ? std::nullopt : std::optional<CopyStream>(options_.device)),
      slots_(static_cast<size_t>(options_.prefetch)) {
  try {
    for (int i = 0; i < options_.threads; i++) threads_.emplace_back([this] { work(); });
  } catch (...) {
    close();
    throw;
  }
}

Loader::~Loader() { close(); }

void Loader::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  work_ready_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Loader::begin(std::vector<uint32_t> order, uint64_t epoch, uint64_t first_batch, bool keep_last) {
  if (order.size() % static_cast<size_t>(options_.views) != 0) {
    fail(ErrorCode::kData, "expected an order of whole samples of ", options_.views, " images, got ", order.size(), " images");
  }
  for (const uint32_t index : order) {
    if (index >= source_->size()) fail(ErrorCode::kData, "expected sample indices below ", source_->size(), ", got ", index);
  }
  if (keep_last && options_.shares > 1) fail(ErrorCode::kConfig, "loader: a last batch that is not full cannot be shared between processes");
  std::unique_lock lock(mutex_);
  batches_ = 0;  // nobody takes a new task
  task_done_.wait(lock, [this] { return busy_ == 0; });
  for (Slot& slot : slots_) slot = {};
  order_ = std::move(order);
  epoch_ = epoch;
  batches_ = keep_last ? (order_.size() + images_a_batch() - 1) / images_a_batch() : order_.size() / images_a_batch();
  next_batch_ = first_batch;
  next_position_ = begin_of(first_batch);
  lock.unlock();
  work_ready_.notify_all();
}

bool Loader::has_next() const {
  const std::lock_guard lock(mutex_);
  return next_batch_ < batches_;
}

double Loader::wait_seconds() const {
  const std::lock_guard lock(mutex_);
  return wait_seconds_;
}

Batch Loader::next() {
  std::unique_lock lock(mutex_);
  if (next_batch_ >= batches_) fail(ErrorCode::kData, "the epoch has no further batch: it ended after ", batches_);
  const auto is_ready = [this] {
    // Batches open one after the other: a slot behind the position taken so far holds this batch.
    return begin_of(next_batch_) < next_position_ && slot_of(next_batch_).missing == 0;
  };
  if (!is_ready()) {
    const auto start = std::chrono::steady_clock::now();
    task_done_.wait(lock, is_ready);
    wait_seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  Slot slot = std::move(slot_of(next_batch_));
  slot_of(next_batch_) = {};
  next_batch_++;
  lock.unlock();
  work_ready_.notify_all();
  if (slot.error) std::rethrow_exception(slot.error);
  if (slot.arrival) slot.batch.images = slot.arrival->receive();
  return std::move(slot.batch);
}

// Whether the next position belongs to a batch that may be made already.
bool Loader::has_work() const {
  const size_t batch = next_position_ / images_a_batch();
  return batch < std::min(batches_, next_batch_ + slots_.size());
}

void Loader::work() {
  SampleReader reader(*source_, augmentations_, options_.sample, bad_images_);
  std::unique_lock lock(mutex_);
  while (true) {
    work_ready_.wait(lock, [this] { return closing_ || has_work(); });
    if (closing_) return;
    std::exception_ptr error;
    size_t position = 0;
    const Task task = take_task();
    busy_++;
    lock.unlock();
    try {
      run_task(reader, task, position);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    busy_--;
    Slot& slot = slot_of(task.batch_index);
    slot.missing -= task.last - task.first;
    if (error && (!slot.error || position < slot.error_position)) {
      slot.error = error;
      slot.error_position = position;
    }
    if (slot.missing == 0 && !slot.error && copies_) send(slot);
    if (slot.missing == 0 || busy_ == 0) task_done_.notify_all();
  }
}

Loader::Task Loader::take_task() {
  const size_t batch = next_position_ / images_a_batch();
  if (next_position_ == begin_of(batch)) open_slot(batch);
  Slot& slot = slot_of(batch);
  Task task;
  task.batch_index = batch;
  task.first = next_position_;
  task.last = std::min(task.first + kRun, end_of(batch));
  task.images = slot.batch.images;
  task.labels = slot.batch.labels;
  task.indices = slot.batch.indices.data();
  next_position_ = task.last == end_of(batch) ? begin_of(batch + 1) : task.last;
  return task;
}

void Loader::open_slot(size_t batch) {
  const size_t first = begin_of(batch);
  const size_t count = end_of(batch) - first;
  Slot slot;
  slot.samples = count / static_cast<size_t>(options_.views);
  slot.missing = count;
  slot.error_position = first;
  try {
    allocate(slot, count);
  } catch (...) {
    slot.error = std::current_exception();
    slot.batch = {};
  }
  slot_of(batch) = std::move(slot);
}

void Loader::allocate(Slot& slot, size_t count) const {
  const auto samples = static_cast<int64_t>(slot.samples);
  for (int view = 0; view < options_.views; view++) {
    const auto type = at::TensorOptions().dtype(at::kByte).pinned_memory(copies_.has_value());
    slot.batch.images.push_back(at::empty({samples, options_.sample.height, options_.sample.width, 3}, type));
  }
  slot.batch.labels = at::empty({samples}, at::kLong);
  slot.batch.indices.resize(count);
}

// A few calls that wait for nothing: with the lock held, as opening a slot.
void Loader::send(Slot& slot) const {
  try {
    slot.arrival.emplace(copies_->send(slot.batch.images));
  } catch (...) {
    slot.error = std::current_exception();
  }
}

// `position` is the image in work, for the order of errors.
void Loader::run_task(SampleReader& reader, const Task& task, size_t& position) {
  if (!task.labels.defined()) return;  // there was no memory for the batch: its error is noted
  const auto views = static_cast<size_t>(options_.views);
  const size_t begin = begin_of(task.batch_index);
  const auto samples = static_cast<size_t>(task.labels.numel());
  const size_t bytes = static_cast<size_t>(options_.sample.height) * static_cast<size_t>(options_.sample.width) * 3;
  for (position = task.first; position < task.last; position++) {
    const size_t sample = (position - begin) / views, view = (position - begin) % views;
    uint8_t* out = task.images[view].data_ptr<uint8_t>() + sample * bytes;
    const size_t used = reader.read(order_[position], Random(options_.seed, epoch_, position), out);
    task.indices[view * samples + sample] = static_cast<uint32_t>(used);
    if (view == 0) task.labels.data_ptr<int64_t>()[sample] = source_->label(used);
  }
}

}  // namespace facex::data
