// Errors that reach JavaScript with a code. Thrown by every folder, turned into FacexError by binding/error.cc.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace facex {

// Same names as ErrorCode in lib/errors.ts.
enum class ErrorCode { kNative, kConfig, kGraph, kData, kCheckpoint, kNonFinite, kOutOfMemory, kLocked, kAborted, kDisposed, kSetup };

class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

// fail(ErrorCode::kGraph, node.path, ": expected ", a, ", got ", b) throws with the parts streamed together.
template <typename... Parts>
[[noreturn]] void fail(ErrorCode code, const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  throw Error(code, text.str());
}

}  // namespace facex
