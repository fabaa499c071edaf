#include "training/thread.h"

#include <ATen/core/grad_mode.h>

namespace facex::training {

SerialThread::SerialThread() : thread_([this] { loop(); }) {}

SerialThread::~SerialThread() {
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void SerialThread::post(std::function<void()> job) {
  {
    std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
}

void SerialThread::loop() {
  at::NoGradGuard no_grad;  // gradients are computed by the engine and the heads, not by autograd
  for (;;) {
    std::function<void()> job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return closing_ || !jobs_.empty(); });
      if (closing_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

}  // namespace facex::training
