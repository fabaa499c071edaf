// Fields of specifications from JavaScript. lib/native.ts promises their types; what arrives is checked all the same,
// so that a mistake in plain JavaScript is a message and not a crash.
#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "core/error.h"

namespace facex::binding {

inline Napi::Object object_of(const Napi::Value& value, const char* what) {
  if (!value.IsObject()) fail(ErrorCode::kConfig, "expected an object as ", what);
  return value.As<Napi::Object>();
}

inline Napi::Object get_object(const Napi::Object& from, const char* key) { return object_of(from.Get(key), key); }

inline Napi::Array get_array(const Napi::Object& from, const char* key) {
  const Napi::Value value = from.Get(key);
  if (!value.IsArray()) fail(ErrorCode::kConfig, key, ": expected an array");
  return value.As<Napi::Array>();
}

inline double get_number(const Napi::Object& from, const char* key) {
  const Napi::Value value = from.Get(key);
  if (!value.IsNumber()) fail(ErrorCode::kConfig, key, ": expected a number");
  return value.As<Napi::Number>().DoubleValue();
}

inline double get_number(const Napi::Object& from, const char* key, double fallback) {
  return from.Get(key).IsUndefined() ? fallback : get_number(from, key);
}

inline int get_int(const Napi::Object& from, const char* key) { return static_cast<int>(get_number(from, key)); }

inline bool get_bool(const Napi::Object& from, const char* key) {
  const Napi::Value value = from.Get(key);
  if (!value.IsBoolean()) fail(ErrorCode::kConfig, key, ": expected true or false");
  return value.As<Napi::Boolean>().Value();
}

inline std::string get_string(const Napi::Object& from, const char* key) {
  const Napi::Value value = from.Get(key);
  if (!value.IsString()) fail(ErrorCode::kConfig, key, ": expected a string");
  return value.As<Napi::String>().Utf8Value();
}

// The elements of a typed array of the given type.
template <typename Element>
std::vector<Element> get_typed(const Napi::Object& from, const char* key, napi_typedarray_type type) {
  const Napi::Value value = from.Get(key);
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != type) {
    fail(ErrorCode::kConfig, key, ": expected a typed array of ", sizeof(Element), "-byte numbers");
  }
  const auto array = value.As<Napi::TypedArray>();
  const auto* begin = reinterpret_cast<const Element*>(static_cast<const uint8_t*>(array.ArrayBuffer().Data()) + array.ByteOffset());
  return {begin, begin + array.ElementLength()};
}

inline std::string get_string(const Napi::Object& from, const char* key, const char* fallback) {
  return from.Get(key).IsUndefined() ? fallback : get_string(from, key);
}

// { name: number, ... }
template <typename Map>
Map get_numbers(const Napi::Object& from, const char* key) {
  const Napi::Object object = get_object(from, key);
  const Napi::Array names = object.GetPropertyNames();
  Map map;
  for (uint32_t i = 0; i < names.Length(); i++) {
    const std::string name = names.Get(i).ToString().Utf8Value();
    map[name] = get_number(object, name.c_str());
  }
  return map;
}

}  // namespace facex::binding
