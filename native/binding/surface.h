#pragma once

#include <napi.h>

namespace facex::binding {

// drawSurface of lib/native.ts.
void export_surface(Napi::Env env, Napi::Object exports);

}  // namespace facex::binding
