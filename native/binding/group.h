// The processes of a run from and to JavaScript.
#pragma once

#include <napi.h>

#include "core/collective.h"

namespace facex::binding {

void export_group(Napi::Env env, Napi::Object exports);

// The group that a JavaScript object wraps; null for undefined.
std::shared_ptr<Collective> group_of(const Napi::Value& value);

}  // namespace facex::binding
