#pragma once

#include <napi.h>

namespace facex::binding {

// info(): versions, threads and devices, as AddonInfo in lib/native.ts.
void export_info(Napi::Env env, Napi::Object exports);

}  // namespace facex::binding
