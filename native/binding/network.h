#pragma once

#include <napi.h>

#include <memory>

#include "binding/decode.h"
#include "engine/network.h"

namespace facex::binding {

// Network and opTable() of lib/native.ts.
void export_network(Napi::Env env, Napi::Object exports);

// A JavaScript Network that shares `network` with its other owners.
Napi::Object wrap_network(Napi::Env env, std::shared_ptr<engine::Network> network);

}  // namespace facex::binding
