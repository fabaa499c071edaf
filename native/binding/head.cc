#include "binding/head.h"

#include <ATen/ops/from_blob.h>

#include <cstring>

#include "core/error.h"
#include "heads/head.h"

namespace facex::binding {

namespace {

at::ScalarType dtype_of(const std::string& name) {
  if (name == "float32") return at::kFloat;
  if (name == "float64") return at::kDouble;
  if (name == "int64") return at::kLong;
  if (name == "int32") return at::kInt;
  fail(ErrorCode::kConfig, "unknown dtype ", name);
}

std::string name_of(at::ScalarType type) {
  return type == at::kFloat ? "float32" : type == at::kDouble ? "float64" : type == at::kLong ? "int64" : "int32";
}

Tensor to_tensor(const Napi::Object& native) {
  Shape shape;
  const auto dims = native.Get("shape").As<Napi::Array>();
  for (uint32_t i = 0; i < dims.Length(); ++i) shape.push_back(dims.Get(i).ToNumber().Int64Value());
  return at::from_blob(native.Get("data").As<Napi::ArrayBuffer>().Data(), shape, dtype_of(native.Get("dtype").ToString())).clone();
}

Napi::Object to_native(Napi::Env env, const std::string& name, const Tensor& tensor) {
  const Tensor source = tensor.detach().to(at::kCPU).contiguous();
  Napi::Object native = Napi::Object::New(env);
  native.Set("name", name);
  native.Set("dtype", name_of(source.scalar_type()));
  Napi::Array shape = Napi::Array::New(env);
  for (int64_t i = 0; i < source.dim(); ++i) shape.Set(static_cast<uint32_t>(i), static_cast<double>(source.size(i)));
  native.Set("shape", shape);
  Napi::ArrayBuffer data = Napi::ArrayBuffer::New(env, source.nbytes());
  std::memcpy(data.Data(), source.const_data_ptr(), source.nbytes());
  native.Set("data", data);
  return native;
}

heads::HeadOptions decode_options(const Napi::Object& spec) {
  heads::HeadOptions options;
  options.name = spec.Get("name").ToString();
  options.feat_dim = spec.Get("featDim").ToNumber().Int64Value();
  options.num_class = spec.Get("numClass").ToNumber().Int64Value();
  const auto values = spec.Get("values").ToObject(), choices = spec.Get("choices").ToObject();
  for (const auto& entry : values) options.values[entry.first.ToString()] = Napi::Value(entry.second).ToNumber().DoubleValue();
  for (const auto& entry : choices) options.choices[entry.first.ToString()] = Napi::Value(entry.second).ToString();
  options.dtype = dtype_of(spec.Get("dtype").ToString());
  options.device = at::Device(std::string(spec.Get("device").ToString()));
  return options;
}

class HeadObject : public Napi::ObjectWrap<HeadObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Head", {InstanceMethod<&HeadObject::initialise>("initialise"), InstanceMethod<&HeadObject::state>("state"),
                                     InstanceMethod<&HeadObject::load>("load"), InstanceMethod<&HeadObject::run>("run")});
  }

  explicit HeadObject(const Napi::CallbackInfo& call) : Napi::ObjectWrap<HeadObject>(call) {
    const auto spec = call[0].As<Napi::Object>();
    const auto options = decode_options(spec);
    head_ = spec.Get("reference").ToBoolean() ? heads::make_reference_head(options) : heads::make_head(options);
  }

 private:
  Napi::Value initialise(const Napi::CallbackInfo& call) {
    head_->initialise(static_cast<uint64_t>(call[0].ToNumber().Int64Value()));
    return call.Env().Undefined();
  }

  Napi::Value state(const Napi::CallbackInfo& call) {
    Napi::Array result = Napi::Array::New(call.Env());
    for (const Entry& entry : head_->state().entries()) result.Set(result.Length(), to_native(call.Env(), entry.name, entry.value));
    return result;
  }

  Napi::Value load(const Napi::CallbackInfo& call) {
    const auto tensors = call[0].As<Napi::Array>();
    for (uint32_t i = 0; i < tensors.Length(); ++i) {
      const auto native = tensors.Get(i).As<Napi::Object>();
      const std::string name = native.Get("name").ToString();
      Entry* entry = head_->state().find(name);
      if (entry == nullptr) fail(ErrorCode::kCheckpoint, "head: no state entry named ", name);
      const Tensor value = to_tensor(native);
      if (value.sizes() != entry->value.sizes()) fail(ErrorCode::kCheckpoint, "head ", name, ": expected shape ", entry->value.sizes(), ", got ", value.sizes());
      entry->value.copy_(value);
      ++entry->version;
    }
    return call.Env().Undefined();
  }

  Napi::Value run(const Napi::CallbackInfo& call) {
    const Napi::Env env = call.Env();
    const auto given = call[0].As<Napi::Object>();
    heads::HeadRequest request;
    request.embeddings = to_tensor(given.Get("embeddings").As<Napi::Object>());
    request.labels = to_tensor(given.Get("labels").As<Napi::Object>()).to(at::kLong);
    if (given.Has("gradScale")) request.grad_scale = given.Get("gradScale").ToNumber();
    if (given.Has("adapt")) request.adapt = given.Get("adapt").ToBoolean();
    request.logits = true;
    for (Entry& entry : head_->state().entries()) entry.grad = Tensor();
    const heads::HeadResult result = head_->run(request);

    Napi::Object answer = Napi::Object::New(env);
    answer.Set("loss", result.loss.item<double>());
    answer.Set("extraLoss", result.extra_loss.defined() ? result.extra_loss.item<double>() : 0);
    answer.Set("logits", to_native(env, "logits", result.logits));
    answer.Set("gradEmbeddings", to_native(env, "gradEmbeddings", result.grad_embeddings));
    Napi::Array grads = Napi::Array::New(env);
    for (const Entry& entry : head_->state().entries()) {
      if (entry.grad.defined()) grads.Set(grads.Length(), to_native(env, entry.name, entry.grad));
    }
    answer.Set("grads", grads);
    return answer;
  }

  std::unique_ptr<heads::Head> head_;
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
