#include "binding/info.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/headeronly/version.h>

#include <cstdio>  // jpeglib.h needs FILE
#include <jpeglib.h>
#include <png.h>

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

Napi::Value info(const Napi::CallbackInfo& call) {
  Napi::Env env = call.Env();
  Napi::Object result = Napi::Object::New(env);
  result.Set("version", FACEX_VERSION);
  result.Set("libtorch", TORCH_VERSION);
  result.Set("threads", at::get_num_threads());
#ifdef FACEX_CUDA
  result.Set("cudaBuilt", true);
#else
  result.Set("cudaBuilt", false);
#endif
  result.Set("cudaAvailable", at::hasCUDA());
  result.Set("images", images(env));
  return result;
}

void set_threads(const Napi::CallbackInfo& call) {
  const int32_t threads = call[0].IsNumber() ? call[0].As<Napi::Number>().Int32Value() : 0;
  if (threads < 1) throw Napi::RangeError::New(call.Env(), "threads: expected an integer of at least 1");
  at::set_num_threads(threads);
}

}  // namespace

void export_info(Napi::Env env, Napi::Object exports) {
  exports.Set("info", Napi::Function::New(env, info));
  exports.Set("setThreads", Napi::Function::New(env, set_threads));
}

}  // namespace facex::binding
