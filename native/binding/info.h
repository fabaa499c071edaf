#pragma once

#include <napi.h>

namespace facex::binding {

// info() and setThreads() of lib/native.ts.
void export_info(Napi::Env env, Napi::Object exports);

}  // namespace facex::binding
