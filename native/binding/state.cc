#include "binding/state.h"

#include "binding/args.h"
#include "binding/tensor.h"

namespace facex::binding {

Napi::Array state_to_js(Napi::Env env, const State& state) {
  Napi::Array result = Napi::Array::New(env);
  for (const Entry& entry : state.entries()) result.Set(result.Length(), to_js(env, entry.name, entry.value));
  return result;
}

Napi::Array grads_to_js(Napi::Env env, const State& state) {
  Napi::Array result = Napi::Array::New(env);
  for (const Entry& entry : state.entries()) {
    if (entry.grad.defined()) result.Set(result.Length(), to_js(env, entry.name, whole_grad(entry)));
  }
  return result;
}

void load_state(const std::string& owner, State& state, const Napi::Value& tensors) {
  if (!tensors.IsArray()) fail(ErrorCode::kConfig, owner, ": expected an array of tensors to load");
  const auto given = tensors.As<Napi::Array>();
  std::vector<std::pair<Entry*, Tensor>> writes;
  for (uint32_t i = 0; i < given.Length(); ++i) {
    const Napi::Object tensor = object_of(given.Get(i), "a tensor");
    const std::string name = get_string(tensor, "name");
    Entry* entry = state.find(name);
    if (entry == nullptr) fail(ErrorCode::kCheckpoint, owner, " has no entry ", name);
    writes.emplace_back(entry, to_tensor(tensor));
    if (writes.back().second.sizes() != entry->value.sizes()) {
      fail(ErrorCode::kCheckpoint, owner, ": ", name, " has shape ", entry->value.sizes(), ", the given tensor ", writes.back().second.sizes());
    }
  }
  for (auto& [entry, value] : writes) {
    entry->value.copy_(value);
    ++entry->version;
  }
}

}  // namespace facex::binding
