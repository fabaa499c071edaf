// A call that takes long: `work` runs on a thread of Node's pool without touching JavaScript, `finish` turns its
// result into a JavaScript value on the main thread, and JavaScript gets a promise.
#pragma once

#include <napi.h>

#include <exception>
#include <optional>
#include <utility>

#include "binding/error.h"

namespace facex::binding {

template <typename Work, typename Finish>
class Worker final : public Napi::AsyncWorker {
 public:
  using Result = decltype(std::declval<Work&>()());

  // `self` stays alive until the promise is settled.
  static Napi::Promise start(Napi::Env env, const Napi::Value& self, Work work, Finish finish) {
    auto* worker = new Worker(env, self, std::move(work), std::move(finish));  // deletes itself
    worker->Queue();
    return worker->deferred_.Promise();
  }

 protected:
  void Execute() override {
    try {
      result_.emplace(work_());
    } catch (...) {
      error_ = std::current_exception();
    }
  }

  void OnOK() override {
    Napi::HandleScope scope(Env());
    try {
      if (error_) {
        deferred_.Reject(to_js_error(Env(), error_).Value());
      } else {
        deferred_.Resolve(finish_(Env(), std::move(*result_)));
      }
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
    } catch (...) {
      deferred_.Reject(to_js_error(Env(), std::current_exception()).Value());
    }
  }

 private:
  Worker(Napi::Env env, const Napi::Value& self, Work work, Finish finish)
      : Napi::AsyncWorker(env), deferred_(env), work_(std::move(work)), finish_(std::move(finish)) {
    if (self.IsObject()) self_ = Napi::Persistent(self.As<Napi::Object>());
  }

  Napi::Promise::Deferred deferred_;
  Napi::ObjectReference self_;
  Work work_;
  Finish finish_;
  std::optional<Result> result_;
  std::exception_ptr error_;
};

// work() -> result; finish(env, result) -> Napi::Value.
template <typename Work, typename Finish>
Napi::Promise run_async(Napi::Env env, const Napi::Value& self, Work work, Finish finish) {
  return Worker<Work, Finish>::start(env, self, std::move(work), std::move(finish));
}

}  // namespace facex::binding
