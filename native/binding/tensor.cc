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

constexpr size_t kWorthHanding = size_t{1} << 18;

Napi::Object described(Napi::Env env, const std::string& name, const Tensor& tensor, const Napi::ArrayBuffer& data) {
  Napi::Array shape = Napi::Array::New(env, static_cast<size_t>(tensor.dim()));
  for (int64_t i = 0; i < tensor.dim(); i++) shape.Set(static_cast<uint32_t>(i), static_cast<double>(tensor.size(i)));
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", name);
  object.Set("dtype", dtype_name(tensor.scalar_type()));
  object.Set("shape", shape);
  object.Set("data", data);
  return object;
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
  Napi::ArrayBuffer data = Napi::ArrayBuffer::New(env, dense.nbytes());
  if (dense.nbytes() > 0) std::memcpy(data.Data(), dense.const_data_ptr(), dense.nbytes());
  return described(env, name, dense, data);
}

Napi::Object give_to_js(Napi::Env env, const std::string& name, Tensor tensor) {
  // Small content is cheaper to copy than to look after.
  if (tensor.nbytes() < kWorthHanding || !tensor.is_cpu() || !tensor.is_contiguous()) return to_js(env, name, tensor);
  // Both the buffer and take_back() may be the last to need it.
  using Owner = std::shared_ptr<Tensor>;
  const auto owner = std::make_shared<Tensor>(std::move(tensor));
  const auto data = Napi::ArrayBuffer::New(env, owner->mutable_data_ptr(), owner->nbytes(), [owner](Napi::Env, void*) {});
  Napi::Object object = described(env, name, *owner, data);
  object.Set("owner", Napi::External<Owner>::New(env, new Owner(owner), [](Napi::Env, Owner* mine) { delete mine; }));
  return object;
}

void take_back(const Napi::Object& given) {
  if (!given.Get("owner").IsExternal()) return;
  given.Get("data").As<Napi::ArrayBuffer>().Detach();
  **given.Get("owner").As<Napi::External<std::shared_ptr<Tensor>>>().Data() = Tensor();
}

}  // namespace facex::binding
