// The border for errors: whatever C++ throws becomes a JavaScript Error with a `code` of lib/errors.ts.
#pragma once

#include <napi.h>

#include <exception>
#include <type_traits>

namespace facex::binding {

// Message and code of an exception, without libtorch's C++ backtrace.
Napi::Error to_js_error(Napi::Env env, std::exception_ptr error);

// Runs `body`, which may throw anything, at the entry of a call from JavaScript.
template <typename Body>
auto guarded(Napi::Env env, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw to_js_error(env, std::current_exception());
  }
}

}  // namespace facex::binding
