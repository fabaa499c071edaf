#include "binding/training_jobs.h"

#include "binding/error.h"

namespace facex::binding {

namespace {

// A thread-safe function belongs to the environment and may be gone before the training thread has heard of it; after
// `napi_closing` it must not be touched again.
class Channel {
 public:
  explicit Channel(Napi::ThreadSafeFunction function) : function_(std::move(function)) {}
  ~Channel() {
    if (open_) function_.Release();
  }
  void post(TrainingJobs::Task task) {
    if (open_ && function_.BlockingCall(std::move(task)) != napi_ok) open_ = false;
  }

 private:
  Napi::ThreadSafeFunction function_;
  bool open_ = true;
};

}  // namespace

TrainingJobs::TrainingJobs(std::function<void()> on_failure)
    : on_failure_(std::move(on_failure)), thread_(std::make_unique<training::SerialThread>()) {}

Napi::Promise TrainingJobs::run(Napi::Env env, Napi::Value owner, Napi::Function callback,
                                std::function<Finish(const Post&)> work) {
  const JobPosition job = jobs_.insert(jobs_.end(), Job{Napi::Promise::Deferred(env), Napi::Persistent(owner.As<Napi::Object>()), {}, {}, {}});
  auto channel = std::make_shared<Channel>(Napi::ThreadSafeFunction::New(env, callback, "facex training", 0, 1));
  const Post post = [this, job, channel](Task task) {
    channel->post([this, job, task = std::move(task)](Napi::Env env, Napi::Function function) {
      if (!job->task_error.IsEmpty()) return;
      try {
        task(env, function);
      } catch (const Napi::Error& error) {
        job->task_error = error;
        on_failure_();
      }
    });
  };
  thread_->post([this, job, channel, post, work = std::move(work)] {
    try {
      job->finish = work(post);
    } catch (...) {
      job->error = std::current_exception();
    }
    channel->post([this, job](Napi::Env env, Napi::Function) { settle(job, env); });
  });
  return job->deferred.Promise();
}

void TrainingJobs::settle(JobPosition job, Napi::Env env) {
  try {
    if (!job->task_error.IsEmpty()) throw job->task_error;
    if (job->error) throw to_js_error(env, job->error);
    job->deferred.Resolve(job->finish(env));
  } catch (const Napi::Error& error) {
    job->deferred.Reject(error.Value());
  }
  jobs_.erase(job);
}

}  // namespace facex::binding
