#include "binding/head.h"

#include "binding/args.h"
#include "binding/error.h"
#include "binding/group.h"
#include "binding/state.h"
#include "binding/tensor.h"
#include "core/device.h"
#include "heads/shared_head.h"
#include "training/optimizer.h"

namespace facex::binding {

heads::HeadOptions head_options(const Napi::Object& spec) {
  heads::HeadOptions options;
  options.name = get_string(spec, "name");
  options.feat_dim = get_int(spec, "featDim");
  options.num_class = get_int(spec, "numClass");
  options.values = get_numbers<std::map<std::string, double>>(spec, "values");
  const Napi::Object choices = get_object(spec, "choices");
  const Napi::Array keys = choices.GetPropertyNames();
  for (uint32_t i = 0; i < keys.Length(); ++i) {
    const std::string key = keys.Get(i).ToString();
    options.choices[key] = get_string(choices, key.c_str());
  }
  options.sample_rate = get_number(spec, "sampleRate", 1);
  options.dtype = get_string(spec, "dtype") == "float64" ? at::kDouble : at::kFloat;
  options.device = device_named(get_string(spec, "device"));
  options.centres_device = get_string(spec, "centres", "device") == "host" ? at::Device(at::kCPU) : options.device;
  options.bf16_products = get_string(spec, "gemm", "") == "bfloat16";
  return options;
}

namespace {

class HeadObject : public Napi::ObjectWrap<HeadObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Head", {InstanceMethod<&HeadObject::initialise>("initialise"), InstanceMethod<&HeadObject::state>("state"),
                                     InstanceMethod<&HeadObject::load>("load"), InstanceMethod<&HeadObject::run>("run"),
                                     InstanceMethod<&HeadObject::enqueue>("enqueue"), InstanceMethod<&HeadObject::step>("step")});
  }

  explicit HeadObject(const Napi::CallbackInfo& call) : Napi::ObjectWrap<HeadObject>(call) {
    guarded(call.Env(), [&] {
      const Napi::Object spec = object_of(call[0], "the specification of a head");
      const bool reference = spec.Has("reference") && get_bool(spec, "reference");
      const heads::HeadOptions options = head_options(spec);
      device_ = options.device;
      const std::shared_ptr<Collective> group = group_of(spec.Get("group"));
      if (group) {
        head_ = heads::make_shared_head(options, group, reference);
        return;
      }
      head_ = reference ? heads::make_reference_head(options) : heads::make_head(options);
    });
  }

 private:
  Napi::Value initialise(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&] {
      head_->initialise(static_cast<uint64_t>(call[0].ToNumber().Int64Value()));
      return call.Env().Undefined();
    });
  }

  Napi::Value state(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
      return state_to_js(call.Env(), head_->state());
    });
  }

  Napi::Value load(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&] {
      load_state("head", head_->state(), call[0]);
      return call.Env().Undefined();
    });
  }

  Napi::Value run(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
      const Napi::Object given = object_of(call[0], "the request");
      heads::HeadRequest request;
      request.embeddings = to_tensor(given.Get("embeddings")).to(device_);
      request.labels = to_tensor(given.Get("labels")).to(device_, at::kLong);
      if (given.Has("gallery")) request.gallery = to_tensor(given.Get("gallery")).to(device_);
      request.grad_scale = get_number(given, "gradScale", 1);
      if (given.Has("adapt")) request.adapt = get_bool(given, "adapt");
      request.random_key = static_cast<uint64_t>(get_number(given, "randomKey", 0));
      request.logits = true;
      for (Entry& entry : head_->state().entries()) clear_grad(entry);
      return answer(call.Env(), head_->run(request));
    });
  }

  Napi::Value enqueue(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&] {
      head_->enqueue(to_tensor(call[0]).to(device_), to_tensor(call[1]).to(device_));
      return call.Env().Undefined();
    });
  }

  Napi::Value step(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
      const Napi::Object given = object_of(call[0], "the request");
      heads::HeadRequest request;
      request.embeddings = to_tensor(given.Get("embeddings")).to(device_);
      request.labels = to_tensor(given.Get("labels")).to(device_, at::kLong);
      if (given.Has("gallery")) request.gallery = to_tensor(given.Get("gallery")).to(device_);
      request.random_key = static_cast<uint64_t>(get_number(given, "randomKey", 0));
      const heads::HeadResult result = head_->run(request);
      if (!optimizer_) optimizer_ = optimizer(given);
      optimizer_->update(get_number(given, "lr"));
      for (Entry& entry : head_->state().entries()) clear_grad(entry);
      return Napi::Number::New(call.Env(), result.loss.item<double>());
    });
  }

  Napi::Object answer(Napi::Env env, const heads::HeadResult& result) {
    Napi::Object answer = Napi::Object::New(env);
    answer.Set("loss", result.loss.item<double>());
    answer.Set("extraLoss", result.extra_loss.defined() ? result.extra_loss.item<double>() : 0);
    answer.Set("logits", to_js(env, "logits", result.logits));
    answer.Set("gradEmbeddings", to_js(env, "gradEmbeddings", result.grad_embeddings));
    answer.Set("grads", grads_to_js(env, head_->state()));
    return answer;
  }

  // Plain SGD over every parameter, with momentum and decay of the first step().
  std::unique_ptr<training::Optimizer> optimizer(const Napi::Object& request) {
    training::ParameterGroup group;
    group.weight_decay = get_number(request, "weightDecay", 0);
    for (const Entry& entry : head_->state().entries()) {
      if (entry.kind == EntryKind::kParameter) group.names.push_back("head." + entry.name);
    }
    const training::Parts parts{{}, {{"head", head_}}};
    return training::make_optimizer({"sgd", {{"momentum", get_number(request, "momentum", 0)}, {"nesterov", 0}}, {group}}, parts);
  }

  std::shared_ptr<heads::Head> head_;
  at::Device device_ = at::kCPU;
  std::unique_ptr<training::Optimizer> optimizer_;  // of step(), made at the first
};

Napi::Value head_names(const Napi::CallbackInfo& call) {
  Napi::Array names = Napi::Array::New(call.Env());
  for (const std::string& name : heads::head_names()) names.Set(names.Length(), name);
  return names;
}

}  // namespace

void export_head(Napi::Env env, Napi::Object exports) {
  exports.Set("headNames", Napi::Function::New(env, head_names));
  exports.Set("Head", HeadObject::define(env));
}

}  // namespace facex::binding
