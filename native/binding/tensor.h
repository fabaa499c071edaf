// NativeTensor of lib/native.ts from and to libtorch's tensor. Content is copied both ways: JavaScript never shares
// memory with a training thread.
#pragma once

#include <napi.h>

#include <string>

#include "core/tensor.h"

namespace facex::binding {

// Throws kConfig when dtype, shape and data do not fit together.
Tensor to_tensor(const Napi::Value& value);
Napi::Object to_js(Napi::Env env, const std::string& name, const Tensor& tensor);

}  // namespace facex::binding
