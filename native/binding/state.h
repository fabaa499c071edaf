// A state dict from and to JavaScript.
#pragma once

#include <napi.h>

#include "core/state.h"

namespace facex::binding {

// Copies of all entries, in order.
Napi::Array state_to_js(Napi::Env env, const State& state);
// The gradients of the entries that have one, zero where a gradient does not reach.
Napi::Array grads_to_js(Napi::Env env, const State& state);

// Copies an array of named tensors into the entries of `owner`'s state. Nothing is written unless all of them fit:
// an unknown name or another shape is kCheckpoint.
void load_state(const std::string& owner, State& state, const Napi::Value& tensors);

}  // namespace facex::binding
