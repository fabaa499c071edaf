#pragma once

#include <napi.h>

#include "data/image.h"

namespace facex::binding {

// uint8 [H, W, 3] of lib/native.ts from and to our own images; throws kData for any other tensor.
data::Image image_from(const Napi::Value& value);
Napi::Value image_to_js(Napi::Env env, const data::Image& image);

// decodeImage, resizeImage, warpAffine and augmentImage of lib/native.ts: the loader's steps one at a time.
void export_images(Napi::Env env, Napi::Object exports);

}  // namespace facex::binding
