// NativeTensor of lib/native.ts from and to libtorch's tensor. JavaScript never shares memory with a training thread:
// content is copied both ways, or handed over.
#pragma once

#include <napi.h>

#include <string>

#include "core/tensor.h"

namespace facex::binding {

// Throws kConfig when dtype, shape and data do not fit together.
Tensor to_tensor(const Napi::Value& value);
Napi::Object to_js(Napi::Env env, const std::string& name, const Tensor& tensor);
// Without a copy: the memory of `tensor`, which nobody else holds, is JavaScript's from now on.
Napi::Object give_to_js(Napi::Env env, const std::string& name, Tensor tensor);
// Frees what give_to_js() gave, at once instead of whenever garbage is collected; `data` is empty afterwards.
void take_back(const Napi::Object& given);

}  // namespace facex::binding
