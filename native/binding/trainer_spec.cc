#include "binding/trainer_spec.h"

#include "binding/args.h"
#include "binding/group.h"
#include "binding/head.h"
#include "binding/network.h"
#include "heads/shared_head.h"

namespace facex::binding {

namespace {

std::vector<std::string> strings(const Napi::Array& array) {
  std::vector<std::string> list;
  for (uint32_t i = 0; i < array.Length(); ++i) list.push_back(array.Get(i).ToString().Utf8Value());
  return list;
}

std::string optional_string(const Napi::Object& spec, const char* key) { return spec.Get(key).IsUndefined() ? "" : get_string(spec, key); }

training::Verb decode_verb(const Napi::Object& spec) {
  const std::string verb = get_string(spec, "verb");
  if (verb == "batch") return training::BatchVerb{strings(get_array(spec, "images")), get_string(spec, "labels")};
  if (verb == "forward") {
    const Napi::Object outputs = get_object(spec, "outputs");
    std::map<std::string, std::string> names;
    for (const std::string& output : strings(outputs.GetPropertyNames())) names[output] = get_string(outputs, output.c_str());
    return training::ForwardVerb{.network = get_string(spec, "network"),
                                 .input = get_string(spec, "input"),
                                 .outputs = std::move(names),
                                 .gradient = get_bool(spec, "gradient"),
                                 .batch_statistics = get_bool(spec, "batchStatistics"),
                                 .stochastic = get_bool(spec, "stochastic")};
  }
  if (verb == "head") {
    return training::HeadVerb{.head = get_string(spec, "head"),
                              .embeddings = get_string(spec, "embeddings"),
                              .labels = get_string(spec, "labels"),
                              .loss = get_string(spec, "loss"),
                              .weight = get_number(spec, "weight"),
                              .gallery = optional_string(spec, "gallery"),
                              .centres_of = optional_string(spec, "centresOf")};
  }
  if (verb == "enqueue") {
    return training::EnqueueVerb{get_string(spec, "head"), strings(get_array(spec, "candidates")), get_string(spec, "labels"),
                                 get_string(spec, "choice") == "random"};
  }
  if (verb == "backward") return training::BackwardVerb{};
  if (verb == "clip") return training::ClipVerb{get_number(spec, "maxNorm"), get_string(spec, "part")};
  if (verb == "optimizer") return training::OptimizerVerb{};
  if (verb == "ema") {
    return training::EmaVerb{get_string(spec, "from"), get_string(spec, "to"), get_number(spec, "decay"), get_bool(spec, "copyBuffers")};
  }
  fail(ErrorCode::kConfig, "unknown program verb \"", verb, '"');
}

}  // namespace

training::OptimizerOptions optimizer_options_from(const Napi::Object& spec) {
  training::OptimizerOptions options;
  options.name = get_string(spec, "name");
  options.values = get_numbers<std::map<std::string, double>>(spec, "values");
  const Napi::Array groups = get_array(spec, "groups");
  for (uint32_t i = 0; i < groups.Length(); ++i) {
    const Napi::Object group = object_of(groups.Get(i), "groups");
    options.groups.push_back({strings(get_array(group, "names")), get_number(group, "lrMultiplier"), get_number(group, "weightDecay")});
  }
  return options;
}

training::TrainerOptions trainer_options_from(const Napi::Object& spec) {
  training::TrainerOptions options;
  const Napi::Object networks = get_object(spec, "networks");
  for (const std::string& name : strings(networks.GetPropertyNames())) {
    const Napi::Object given = get_object(networks, name.c_str());
    const engine::NetworkOptions network = decode_network_options(get_object(given, "options"));
    options.device = network.device;
    options.loss_scaling |= network.compute == at::kHalf;
    options.parts.networks[name] = std::make_shared<engine::Network>(decode_graph(get_object(given, "graph")), network);
  }
  if (const Napi::Value group = spec.Get("group"); !group.IsUndefined()) {
    options.group = group_of(group);
    options.synchronise_statistics = get_bool(spec, "synchroniseStatistics");
    options.reducer.bucket_bytes = static_cast<int64_t>(get_number(spec, "bucketBytes"));
    options.reducer.bfloat16 = get_bool(spec, "bfloat16Gradients");
  }
  const Napi::Object heads = get_object(spec, "heads");
  for (const std::string& name : strings(heads.GetPropertyNames())) {
    const heads::HeadOptions head = head_options(get_object(heads, name.c_str()));
    options.parts.heads[name] = options.group ? heads::make_shared_head(head, options.group) : heads::make_head(head);
  }
  const Napi::Array program = get_array(spec, "program");
  for (uint32_t i = 0; i < program.Length(); ++i) options.program.push_back(decode_verb(object_of(program.Get(i), "verb")));
  options.seed = static_cast<uint64_t>(get_number(spec, "seed"));
  options.cuda_graphs = !spec.Get("cudaGraphs").IsUndefined() && get_bool(spec, "cudaGraphs");
  options.skip_non_finite = get_string(spec, "onNonFinite") == "skip";
  return options;
}

}  // namespace facex::binding
