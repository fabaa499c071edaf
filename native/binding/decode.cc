#include "binding/decode.h"

#include "binding/args.h"
#include "core/device.h"

namespace facex::binding {

namespace {

template <typename Number>
std::vector<Number> numbers_of(const Napi::Value& value, const char* what) {
  if (!value.IsArray()) fail(ErrorCode::kConfig, what, ": expected an array of numbers");
  const auto array = value.As<Napi::Array>();
  std::vector<Number> numbers(array.Length());
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Value item = array.Get(i);
    if (!item.IsNumber()) fail(ErrorCode::kConfig, what, ": expected an array of numbers");
    numbers[i] = static_cast<Number>(item.As<Napi::Number>().DoubleValue());
  }
  return numbers;
}

// visit(key, value) for every property.
template <typename Visit>
void each_property(const Napi::Object& object, Visit visit) {
  const Napi::Array keys = object.GetPropertyNames();
  for (uint32_t i = 0; i < keys.Length(); ++i) {
    const std::string key = keys.Get(i).ToString().Utf8Value();
    visit(key, object.Get(key));
  }
}

engine::Initializer decode_initializer(const Napi::Object& given) {
  using Kind = engine::Initializer::Kind;
  const std::string kind = get_string(given, "kind");
  engine::Initializer init;
  if (kind == "constant") {
    init.value = get_number(given, "value");
  } else if (kind == "uniform") {
    init.kind = Kind::kUniform;
    init.low = get_number(given, "low");
    init.high = get_number(given, "high");
  } else if (kind == "normal") {
    init.kind = Kind::kNormal;
    init.mean = get_number(given, "mean");
    init.std = get_number(given, "std");
  } else if (kind == "truncated_normal") {
    init.kind = Kind::kTruncatedNormal;
    init.std = get_number(given, "std");
    init.low = get_number(given, "low");
    init.high = get_number(given, "high");
  } else if (kind == "values") {
    init.kind = Kind::kValues;
    init.values = numbers_of<double>(given.Get("values"), "values");
  } else {
    fail(ErrorCode::kConfig, "unknown initializer \"", kind, '"');
  }
  return init;
}

engine::StateEntry decode_entry(const Napi::Object& entry) {
  return {.name = get_string(entry, "name"),
          .shape = numbers_of<int64_t>(entry.Get("shape"), "shape"),
          .is_parameter = get_string(entry, "kind") == "parameter",
          .is_int64 = get_string(entry, "dtype") == "int64",
          .init = decode_initializer(get_object(entry, "init"))};
}

engine::Attribute decode_attribute(const std::string& name, const Napi::Value& value) {
  if (value.IsNumber()) return value.As<Napi::Number>().DoubleValue();
  if (value.IsBoolean()) return value.As<Napi::Boolean>().Value();
  if (value.IsString()) return value.As<Napi::String>().Utf8Value();
  return numbers_of<double>(value, name.c_str());
}

engine::Node decode_node(const Napi::Object& given) {
  engine::Node node;
  node.id = static_cast<size_t>(get_number(given, "id"));
  node.op = get_string(given, "op");
  node.path = get_string(given, "path");
  node.inputs = numbers_of<size_t>(given.Get("inputs"), "inputs");
  each_property(get_object(given, "params"), [&](const std::string& role, const Napi::Value& entry) { node.params[role] = entry.ToString().Utf8Value(); });
  each_property(get_object(given, "attrs"), [&](const std::string& name, const Napi::Value& value) { node.attrs[name] = decode_attribute(name, value); });
  const Napi::Object shape = get_object(given, "shape");
  node.shape = {static_cast<int64_t>(get_number(shape, "batch")), numbers_of<int64_t>(shape.Get("dims"), "dims")};
  return node;
}

at::ScalarType decode_type(const Napi::Object& options, const char* key) {
  const std::string name = get_string(options, key);
  if (name == "float32") return at::kFloat;
  if (name == "float64") return at::kDouble;
  if (name == "bfloat16") return at::kBFloat16;
  if (name == "float16") return at::kHalf;
  fail(ErrorCode::kConfig, key, ": expected float32, float64, bfloat16 or float16, got \"", name, '"');
}

}  // namespace

engine::Graph decode_graph(const Napi::Object& given) {
  engine::Graph graph;
  graph.name = get_string(given, "name");
  const Napi::Array state = get_array(given, "state"), nodes = get_array(given, "nodes");
  for (uint32_t i = 0; i < state.Length(); ++i) graph.state.push_back(decode_entry(object_of(state.Get(i), "a state entry")));
  for (uint32_t i = 0; i < nodes.Length(); ++i) graph.nodes.push_back(decode_node(object_of(nodes.Get(i), "a node")));
  each_property(get_object(given, "outputs"), [&](const std::string& name, const Napi::Value& id) {
    graph.outputs[name] = static_cast<size_t>(id.ToNumber().Int64Value());
  });
  return graph;
}

engine::NetworkOptions decode_network_options(const Napi::Object& given) {
  engine::NetworkOptions options;
  options.device = device_named(get_string(given, "device"));
  options.master = decode_type(given, "master");
  options.compute = decode_type(given, "compute");
  options.pixel_mean = get_number(given, "pixelMean");
  options.pixel_scale = get_number(given, "pixelScale");
  if (!given.Get("stages").IsUndefined()) options.stages = numbers_of<size_t>(given.Get("stages"), "stages");
  if (!given.Get("recomputed").IsUndefined()) options.recomputed = numbers_of<size_t>(given.Get("recomputed"), "recomputed");
  return options;
}

}  // namespace facex::binding
