#include "binding/loader_spec.h"

#include "binding/args.h"
#include "core/device.h"

namespace facex::binding {

std::unique_ptr<data::Source> source_from(const Napi::Object& spec) {
  const std::string kind = get_string(spec, "kind");
  if (kind == "files") {
    data::ListPlace list;
    if (!spec.Get("list").IsUndefined()) list = {get_string(spec, "list"), get_typed<uint32_t>(spec, "skippedLines", napi_uint32_array)};
    return data::make_file_source(get_string(spec, "root"), get_typed<char>(spec, "paths", napi_uint8_array),
                                  get_typed<int32_t>(spec, "labels", napi_int32_array), std::move(list));
  }
  if (kind == "records") {
    return data::make_record_source(get_string(spec, "file"), get_typed<double>(spec, "positions", napi_float64_array),
                                    get_typed<int32_t>(spec, "labels", napi_int32_array));
  }
  if (kind == "mixed") {
    std::vector<std::unique_ptr<data::Source>> parts;
    const Napi::Array list = get_array(spec, "parts");
    for (uint32_t i = 0; i < list.Length(); i++) parts.push_back(source_from(object_of(list.Get(i), "source")));
    return data::make_mixed_source(std::move(parts), get_typed<int32_t>(spec, "labels", napi_int32_array));
  }
  fail(ErrorCode::kConfig, "source kind: expected \"files\", \"records\" or \"mixed\", got \"", kind, '"');
}

std::vector<data::AugmentationSpec> augmentations_from(const Napi::Array& list) {
  std::vector<data::AugmentationSpec> specs;
  for (uint32_t i = 0; i < list.Length(); i++) {
    const Napi::Object item = object_of(list.Get(i), "augmentation");
    specs.push_back({get_string(item, "name"), get_number(item, "probability"),
                     get_numbers<std::map<std::string, double>>(item, "values")});
  }
  return specs;
}

data::Color color_from(const Napi::Value& value) {
  const std::string name = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  if (name == "bgr") return data::Color::kBgr;
  if (name == "rgb") return data::Color::kRgb;
  fail(ErrorCode::kConfig, "color: expected \"bgr\" or \"rgb\"");
}

data::LoaderOptions loader_options_from(const Napi::Object& spec) {
  data::LoaderOptions options;
  options.sample.height = get_int(spec, "height");
  options.sample.width = get_int(spec, "width");
  options.sample.full_height = static_cast<int>(get_number(spec, "fullHeight", options.sample.height));
  options.sample.color = color_from(spec.Get("color"));
  options.augmentations = augmentations_from(get_array(spec, "augmentations"));
  options.batch_size = get_int(spec, "batchSize");
  options.share = static_cast<int>(get_number(spec, "share", 0));
  options.shares = static_cast<int>(get_number(spec, "shares", 1));
  options.views = get_int(spec, "views");
  options.threads = get_int(spec, "threads");
  options.prefetch = get_int(spec, "prefetch");
  if (!spec.Get("device").IsUndefined()) options.device = device_named(get_string(spec, "device"));
  options.seed = static_cast<uint64_t>(get_number(spec, "seed"));
  options.sample.keep_class = options.views > 1;
  const std::string policy = get_string(spec, "onBadImage");
  if (policy != "fail" && policy != "skip") fail(ErrorCode::kConfig, "onBadImage: expected \"fail\" or \"skip\", got \"", policy, '"');
  options.sample.skip_bad_images = policy == "skip";
  return options;
}

}  // namespace facex::binding
