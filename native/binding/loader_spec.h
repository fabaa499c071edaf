// NativeLoaderSpec and its parts from JavaScript.
#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "data/loader.h"

namespace facex::binding {

std::unique_ptr<data::Source> source_from(const Napi::Object& spec);
std::vector<data::AugmentationSpec> augmentations_from(const Napi::Array& list);
data::Color color_from(const Napi::Value& value);
data::LoaderOptions loader_options_from(const Napi::Object& spec);

}  // namespace facex::binding
