#pragma once

#include <napi.h>

namespace facex::binding {

// headNames() and class Head, as in lib/native.ts.
void export_head(Napi::Env env, Napi::Object exports);

}  // namespace facex::binding
