#include "binding/info.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/headeronly/version.h>

namespace facex::binding {

namespace {

Napi::Value info(const Napi::CallbackInfo& call) {
  Napi::Env env = call.Env();
  Napi::Object result = Napi::Object::New(env);
  result.Set("libtorch", TORCH_VERSION);
  result.Set("threads", at::get_num_threads());
  result.Set("cudaAvailable", at::hasCUDA());
  return result;
}

}  // namespace

void export_info(Napi::Env env, Napi::Object exports) { exports.Set("info", Napi::Function::New(env, info)); }

}  // namespace facex::binding
