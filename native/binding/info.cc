#include "binding/info.h"

#include <ATen/Parallel.h>
#include <torch/headeronly/version.h>

#include <cstdio>  // jpeglib.h needs FILE
#include <jpeglib.h>
#include <png.h>

#include "binding/error.h"
#include "core/cuda/library.h"
#include "core/device.h"

#define FACEX_TEXT_OF(value) #value
#define FACEX_TEXT(macro) FACEX_TEXT_OF(macro)

namespace facex::binding {

namespace {

Napi::Object images(Napi::Env env) {
  Napi::Object result = Napi::Object::New(env);
#ifdef LIBJPEG_TURBO_VERSION
  result.Set("libjpeg", "libjpeg-turbo " FACEX_TEXT(LIBJPEG_TURBO_VERSION));
#else
  result.Set("libjpeg", "libjpeg " FACEX_TEXT(JPEG_LIB_VERSION));
#endif
  result.Set("libpng", std::string("libpng ") + png_get_libpng_ver(nullptr));
  return result;
}

Napi::Object cuda(Napi::Env env) {
  const CudaStatus& status = cuda_status();
  Napi::Object result = Napi::Object::New(env);
  result.Set("libtorch", status.libtorch);
  result.Set("built", status.built);
  result.Set("available", status.usable());
  result.Set("nccl", cuda::has_table("nccl"));
  result.Set("kernels", status.kernels);
  result.Set("driver", status.driver);
  result.Set("runtime", status.runtime);
  result.Set("problem", status.problem);
  result.Set("remedy", status.remedy);
  result.Set("peakMemory", static_cast<double>(status.usable() ? cuda::device().peak_memory() : 0));
  Napi::Array devices = Napi::Array::New(env);
  for (const CudaDevice& found : status.devices) {
    Napi::Object device = Napi::Object::New(env);
    device.Set("name", found.name);
    device.Set("capability", std::to_string(found.major) + "." + std::to_string(found.minor));
    device.Set("memory", static_cast<double>(found.memory));
    devices.Set(devices.Length(), device);
  }
  result.Set("devices", devices);
  return result;
}

Napi::Value info(const Napi::CallbackInfo& call) {
  Napi::Env env = call.Env();
  Napi::Object result = Napi::Object::New(env);
  result.Set("version", FACEX_VERSION);
  result.Set("libtorch", TORCH_VERSION);
  result.Set("threads", at::get_num_threads());
  result.Set("cuda", cuda(env));
  result.Set("images", images(env));
  return result;
}

void allow_tf32(const Napi::CallbackInfo& call) { facex::allow_tf32(call[0].ToBoolean()); }

void set_threads(const Napi::CallbackInfo& call) {
  const int32_t threads = call[0].IsNumber() ? call[0].As<Napi::Number>().Int32Value() : 0;
  if (threads < 1) throw Napi::RangeError::New(call.Env(), "threads: expected an integer of at least 1");
  at::set_num_threads(threads);
}

}  // namespace

void export_info(Napi::Env env, Napi::Object exports) {
  cuda_status();  // first of all: libtorch remembers whether it has CUDA from the first time that anything asks
  choose_cpu_kernels();
  exports.Set("allowTf32", Napi::Function::New(env, allow_tf32));
  exports.Set("info", Napi::Function::New(env, info));
  exports.Set("setThreads", Napi::Function::New(env, set_threads));
}

}  // namespace facex::binding
