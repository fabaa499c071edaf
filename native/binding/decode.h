// Graphs and network options from JavaScript, as lib/graph/types.ts and lib/native.ts declare them.
#pragma once

#include <napi.h>

#include "engine/graph.h"
#include "engine/network.h"

namespace facex::binding {

// Only the form is checked here (kConfig); whether the nodes make sense is the engine's to say.
engine::Graph decode_graph(const Napi::Object& graph);
engine::NetworkOptions decode_network_options(const Napi::Object& options);

}  // namespace facex::binding
