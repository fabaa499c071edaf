#include "binding/error.h"

#include <c10/util/Exception.h>

#include <new>
#include <string>

#include "core/collective.h"
#include "core/error.h"

namespace facex::binding {

namespace {

const char* name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kConfig: return "ERR_CONFIG";
    case ErrorCode::kGraph: return "ERR_GRAPH";
    case ErrorCode::kData: return "ERR_DATA";
    case ErrorCode::kCheckpoint: return "ERR_CHECKPOINT";
    case ErrorCode::kNonFinite: return "ERR_NON_FINITE";
    case ErrorCode::kOutOfMemory: return "ERR_OUT_OF_MEMORY";
    case ErrorCode::kLocked: return "ERR_LOCKED";
    case ErrorCode::kAborted: return "ERR_ABORTED";
    case ErrorCode::kDisposed: return "ERR_DISPOSED";
    case ErrorCode::kSetup: return "ERR_SETUP";
    case ErrorCode::kNative: break;
  }
  return "ERR_NATIVE";
}

Napi::Error make(Napi::Env env, const char* code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  return error;
}

}  // namespace

Napi::Error to_js_error(Napi::Env env, std::exception_ptr error) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& known) {
    return make(env, name_of(known.code()), known.what());
  } catch (const PeerFailure& failure) {
    return make(env, "ERR_DISTRIBUTED", failure.what());
  } catch (const c10::OutOfMemoryError& memory) {
    return make(env, "ERR_OUT_OF_MEMORY", memory.what_without_backtrace());
  } catch (const c10::Error& torch) {
    return make(env, "ERR_NATIVE", torch.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    return make(env, "ERR_OUT_OF_MEMORY", "out of memory");
  } catch (const std::exception& other) {
    return make(env, "ERR_NATIVE", other.what());
  } catch (...) {
    return make(env, "ERR_NATIVE", "unknown error in the addon");
  }
}

}  // namespace facex::binding
