#pragma once

#include <napi.h>

namespace facex::binding {

// class Trainer, as in lib/native.ts.
void export_trainer(Napi::Env env, Napi::Object exports);

}  // namespace facex::binding
