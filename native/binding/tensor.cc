#include "binding/tensor.h"

#include <ATen/ops/empty.h>
#include <c10/core/DeviceType.h>

#include <cstring>
#include <utility>

#include "core/error.h"

namespace facex::binding {

namespace {

constexpr std::pair<const char*, at::ScalarType> kTypes[] = {
    {"float32", at::kFloat}, {"float64", at::kDouble}, {"bfloat16", at::kBFloat16}, {"float16", at::kHalf},
    {"int64", at::kLong},    {"int32", at::kInt},      {"uint8", at::kByte},
};

at::ScalarType type_of(const std::string& name) {
  for (const auto& [known, type] : kTypes) if (name == known) return type;
  fail(ErrorCode::kConfig, "unknown tensor dtype \"", name, '"');
}

const char* dtype_name(at::ScalarType type) {
  for (const auto& [name, known] : kTypes) if (type == known) return name;
  fail(ErrorCode::kNative, "a tensor of a dtype that JavaScript does not know");
}

}  // namespace

Tensor to_tensor(const Napi::Value& value) {
  if (!value.IsObject()) fail(ErrorCode::kConfig, "expected a tensor { dtype, shape, data }");
  const auto object = value.As<Napi::Object>();
  const Napi::Value dims = object.Get("shape"), data = object.Get("data");
  if (!dims.IsArray() || !data.IsArrayBuffer()) fail(ErrorCode::kConfig, "expected a tensor with an array as shape and an ArrayBuffer as data");
  Shape shape;
  for (uint32_t i = 0; i < dims.As<Napi::Array>().Length(); i++) {
    shape.push_back(dims.As<Napi::Array>().Get(i).ToNumber().Int64Value());
    if (shape.back() < 0) fail(ErrorCode::kConfig, "a tensor's shape has the negative size ", shape.back());
  }
  const Tensor tensor = at::empty(shape, type_of(object.Get("dtype").ToString().Utf8Value()));
  auto bytes = data.As<Napi::ArrayBuffer>();
  if (bytes.ByteLength() != tensor.nbytes()) {
    fail(ErrorCode::kConfig, "expected ", tensor.nbytes(), " bytes for a tensor of shape ", tensor.sizes(), ", got ", bytes.ByteLength());
  }
  if (tensor.nbytes() > 0) std::memcpy(tensor.mutable_data_ptr(), bytes.Data(), bytes.ByteLength());
  return tensor;
}

Napi::Object to_js(Napi::Env env, const std::string& name, const Tensor& tensor) {
  const Tensor dense = tensor.detach().to(at::kCPU).contiguous();
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", name);
  object.Set("dtype", dtype_name(dense.scalar_type()));
  Napi::Array shape = Napi::Array::New(env, static_cast<size_t>(dense.dim()));
  for (int64_t i = 0; i < dense.dim(); i++) shape.Set(static_cast<uint32_t>(i), static_cast<double>(dense.size(i)));
  object.Set("shape", shape);
  Napi::ArrayBuffer data = Napi::ArrayBuffer::New(env, dense.nbytes());
  if (dense.nbytes() > 0) std::memcpy(data.Data(), dense.const_data_ptr(), dense.nbytes());
  object.Set("data", data);
  return object;
}

}  // namespace facex::binding
