#pragma once

#include <napi.h>

namespace facex::binding {

// decodeImage, resizeImage, warpAffine and augmentImage of lib/native.ts: the loader's steps one at a time.
void export_images(Napi::Env env, Napi::Object exports);

}  // namespace facex::binding
