// Jobs on a training thread that settle a promise: they run in the order in which they were given, may report to
// JavaScript while they run, and never touch JavaScript themselves.
#pragma once

#include <napi.h>

#include <exception>
#include <functional>
#include <list>
#include <memory>

#include "training/thread.h"

namespace facex::binding {

class TrainingJobs {
 public:
  // Runs on the JavaScript thread; what it throws fails the job.
  using Task = std::function<void(Napi::Env, Napi::Function)>;
  // Hands a task to the JavaScript thread, in order, without waiting for it.
  using Post = std::function<void(Task)>;
  // Makes the value that the promise resolves to, on the JavaScript thread.
  using Finish = std::function<Napi::Value(Napi::Env)>;

  // `on_failure` is called, on the JavaScript thread, when a posted task has thrown: the job should end early.
  explicit TrainingJobs(std::function<void()> on_failure);

  // `work` runs on the training thread and returns how to finish. `callback` is handed to posted tasks. `owner` stays
  // alive until the promise is settled.
  Napi::Promise run(Napi::Env env, Napi::Value owner, Napi::Function callback, std::function<Finish(const Post&)> work);

  // Jobs not settled yet.
  bool busy() const { return !jobs_.empty(); }

  // Waits for the job in flight and drops the others; nothing can be run after it.
  void close() { thread_.reset(); }

 private:
  struct Job {
    Napi::Promise::Deferred deferred;
    Napi::ObjectReference owner;
    Finish finish;
    std::exception_ptr error;  // of the work
    Napi::Error task_error;    // of the first posted task that threw
  };
  using JobPosition = std::list<Job>::iterator;
  void settle(JobPosition job, Napi::Env env);

  std::function<void()> on_failure_;
  std::unique_ptr<training::SerialThread> thread_;
  std::list<Job> jobs_;  // made and destroyed on the JavaScript thread only, as all references must be
};

}  // namespace facex::binding
