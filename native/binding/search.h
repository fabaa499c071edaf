#pragma once

#include <napi.h>

namespace facex::binding {

// The TopK class of lib/native.ts.
void export_search(Napi::Env env, Napi::Object exports);

}  // namespace facex::binding
