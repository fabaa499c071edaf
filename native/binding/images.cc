#include "binding/images.h"

#include <ATen/ops/empty.h>

#include <cstring>
#include <utility>
#include <vector>

#include "binding/args.h"
#include "binding/error.h"
#include "binding/loader_spec.h"
#include "binding/tensor.h"
#include "binding/worker.h"
#include "data/geometry.h"

namespace facex::binding {

data::Image image_from(const Napi::Value& value) {
  const Tensor tensor = to_tensor(value);
  if (tensor.dim() != 3 || tensor.size(2) != 3 || tensor.scalar_type() != at::kByte || tensor.numel() == 0 ||
      tensor.size(0) * tensor.size(1) > data::kMaxPixels) {
    fail(ErrorCode::kData, "expected an image as uint8 [H, W, 3], got shape ", tensor.sizes());
  }
  data::Image image;
  image.reshape(static_cast<int>(tensor.size(0)), static_cast<int>(tensor.size(1)));
  std::memcpy(image.pixels.data(), tensor.const_data_ptr(), image.pixels.size());
  return image;
}

Napi::Value image_to_js(Napi::Env env, const data::Image& image) {
  const Tensor tensor = at::empty({image.height, image.width, 3}, at::kByte);
  std::memcpy(tensor.mutable_data_ptr(), image.pixels.data(), image.pixels.size());
  return to_js(env, "image", tensor);
}

namespace {

int size_from(const Napi::Value& value, const char* what) {
  const int64_t size = value.IsNumber() ? value.As<Napi::Number>().Int64Value() : 0;
  if (size < 1 || size > 8192) fail(ErrorCode::kData, what, ": expected 1 to 8192 pixels, got ", size);
  return static_cast<int>(size);
}

Napi::Value decode_image(const Napi::CallbackInfo& call) {
  return guarded(call.Env(), [&]() -> Napi::Value {
    if (!call[0].IsTypedArray() || call[0].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
      fail(ErrorCode::kData, "expected the bytes of an image file as Uint8Array");
    }
    // A copy: JavaScript may write to its array meanwhile.
    const auto given = call[0].As<Napi::Uint8Array>();
    std::vector<uint8_t> file(given.Data(), given.Data() + given.ByteLength());
    return run_async(
        call.Env(), call.This(),
        [file = std::move(file), color = color_from(call[1])] {
          data::Image image;
          data::decode({file.data(), file.size()}, color, image);
          return image;
        },
        [](Napi::Env env, const data::Image& image) { return image_to_js(env, image); });
  });
}

Napi::Value resize_image(const Napi::CallbackInfo& call) {
  return guarded(call.Env(), [&] {
    const data::Image from = image_from(call[0]);
    data::Box box = {0, 0, from.height, from.width};
    if (!call[3].IsUndefined()) {
      const Napi::Object wanted = object_of(call[3], "box");
      box = {get_int(wanted, "top"), get_int(wanted, "left"), get_int(wanted, "bottom"), get_int(wanted, "right")};
    }
    if (box.top < 0 || box.left < 0 || box.bottom > from.height || box.right > from.width || box.top >= box.bottom || box.left >= box.right) {
      fail(ErrorCode::kData, "expected a box inside the image of ", from.width, " x ", from.height);
    }
    data::Image to;
    data::resize(from, box, size_from(call[1], "height"), size_from(call[2], "width"), to);
    return image_to_js(call.Env(), to);
  });
}

Napi::Value warp_affine(const Napi::CallbackInfo& call) {
  return guarded(call.Env(), [&] {
    const data::Image from = image_from(call[0]);
    if (!call[1].IsArray() || call[1].As<Napi::Array>().Length() != 6) fail(ErrorCode::kData, "expected a matrix of 6 numbers, row by row");
    data::Affine matrix;
    for (uint32_t i = 0; i < 6; i++) matrix[i] = call[1].As<Napi::Array>().Get(i).ToNumber().DoubleValue();
    data::Image to;
    data::warp_affine(from, matrix, size_from(call[2], "height"), size_from(call[3], "width"), to);
    return image_to_js(call.Env(), to);
  });
}

Napi::Value augment_image(const Napi::CallbackInfo& call) {
  return guarded(call.Env(), [&] {
    data::Image image = image_from(call[0]);
    if (!call[1].IsArray()) fail(ErrorCode::kConfig, "expected a list of augmentations");
    const data::AugmentationChain chain(augmentations_from(call[1].As<Napi::Array>()), color_from(call[2]));
    data::Scratch scratch;
    Random random(static_cast<uint64_t>(call[3].ToNumber().Int64Value()));
    chain.apply(image, scratch, random);
    return image_to_js(call.Env(), image);
  });
}

Napi::Value augmentation_names(const Napi::CallbackInfo& call) {
  Napi::Array names = Napi::Array::New(call.Env());
  for (const std::string& name : data::augmentation_names()) names.Set(names.Length(), name);
  return names;
}

}  // namespace

void export_images(Napi::Env env, Napi::Object exports) {
  exports.Set("decodeImage", Napi::Function::New(env, decode_image));
  exports.Set("resizeImage", Napi::Function::New(env, resize_image));
  exports.Set("warpAffine", Napi::Function::New(env, warp_affine));
  exports.Set("augmentImage", Napi::Function::New(env, augment_image));
  exports.Set("augmentationNames", Napi::Function::New(env, augmentation_names));
}

}  // namespace facex::binding
