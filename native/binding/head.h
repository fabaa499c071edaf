#pragma once

#include <napi.h>

#include "heads/head.h"

namespace facex::binding {

// headNames() and class Head, as in lib/native.ts.
void export_head(Napi::Env env, Napi::Object exports);

// NativeHeadSpec of lib/native.ts; its `reference` flag is the caller's business.
heads::HeadOptions head_options(const Napi::Object& spec);

}  // namespace facex::binding
