#include "binding/file_lock.h"

#include "binding/error.h"
#include "core/file_lock.h"

namespace facex::binding {

namespace {

Napi::Value lock_file(const Napi::CallbackInfo& call) {
  const Napi::Env env = call.Env();
  return guarded(env, [&]() -> Napi::Value {
    std::shared_ptr<FileLock> lock = FileLock::try_lock(call[0].ToString().Utf8Value());
    if (!lock) return env.Undefined();
    Napi::Object handle = Napi::Object::New(env);
    auto release = [lock](const Napi::CallbackInfo&) mutable { lock.reset(); };
    handle.Set("release", Napi::Function::New(env, release, "release"));
    return handle;
  });
}

}  // namespace

void export_file_lock(Napi::Env env, Napi::Object exports) {
  exports.Set("lockFile", Napi::Function::New(env, lock_file, "lockFile"));
}

}  // namespace facex::binding
