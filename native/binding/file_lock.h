#pragma once

#include <napi.h>

namespace facex::binding {

// lockFile() of lib/native.ts.
void export_file_lock(Napi::Env env, Napi::Object exports);

}  // namespace facex::binding
