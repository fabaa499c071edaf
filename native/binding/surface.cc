#include "binding/surface.h"

#include <cstring>

#include "binding/args.h"
#include "binding/images.h"
#include "binding/tensor.h"
#include "binding/worker.h"
#include "data/surface.h"

namespace facex::binding {

namespace {

data::Texture texture_from(const Napi::Value& value) {
  const Tensor tensor = to_tensor(value);
  if (tensor.dim() != 3 || tensor.size(2) != 4 || tensor.scalar_type() != at::kByte || tensor.numel() == 0) {
    fail(ErrorCode::kConfig, "expected a texture as uint8 [H, W, 4], got shape ", tensor.sizes());
  }
  data::Texture texture{static_cast<int>(tensor.size(0)), static_cast<int>(tensor.size(1)), {}};
  texture.pixels.resize(static_cast<size_t>(tensor.numel()));
  std::memcpy(texture.pixels.data(), tensor.const_data_ptr(), texture.pixels.size());
  return texture;
}

data::Surface surface_from(const Napi::Object& spec) {
  return {get_typed<float>(spec, "positions", napi_float32_array), get_typed<float>(spec, "places", napi_float32_array),
          get_typed<float>(spec, "light", napi_float32_array), get_typed<uint32_t>(spec, "triangles", napi_uint32_array)};
}

data::SurfaceStyle style_from(const Napi::Object& spec) {
  data::SurfaceStyle style;
  style.softness = get_number(spec, "softness");
  style.shadow = get_number(spec, "shadow");
  style.shadow_reach = get_number(spec, "shadowReach");
  style.grain = get_number(spec, "grain");
  style.seed = static_cast<uint64_t>(get_number(spec, "seed"));
  style.grey = get_bool(spec, "grey");
  return style;
}

// drawSurface(image, surface)
Napi::Value draw_surface(const Napi::CallbackInfo& call) {
  return guarded(call.Env(), [&]() -> Napi::Value {
    const Napi::Object spec = object_of(call[1], "surface");
    return run_async(
        call.Env(), call.Env().Undefined(),
        [image = image_from(call[0]), surface = surface_from(spec), texture = texture_from(spec.Get("texture")), style = style_from(spec)]() mutable {
          data::draw_surface(image, data::Color::kRgb, surface, texture, style);
          return std::move(image);
        },
        [](Napi::Env env, const data::Image& image) { return image_to_js(env, image); });
  });
}

}  // namespace

void export_surface(Napi::Env env, Napi::Object exports) { exports.Set("drawSurface", Napi::Function::New(env, draw_surface)); }

}  // namespace facex::binding
