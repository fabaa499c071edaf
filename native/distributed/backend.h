// The transports of libtorch: what a group of processes sends its tensors through.
#pragma once

#include <chrono>
#include <string>

#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

namespace facex::distributed {

using Store = c10::intrusive_ptr<c10d::Store>;
using Backend = c10::intrusive_ptr<c10d::Backend>;

struct BackendOptions {
  int rank = 0, size = 1;
  // Address or name of the machine of rank 0; decides through which network interface Gloo talks.
  std::string master;
  // After this long an operation fails by itself; a second limit behind the one of Group.
  std::chrono::milliseconds timeout{};
};

// For tensors on a GPU. ErrorCode::kSetup where facex was built without NCCL.
Backend make_nccl(const Store& store, const BackendOptions& options);

// For tensors on the CPU. The interface is GLOO_SOCKET_IFNAME where that is set.
Backend make_gloo(const Store& store, const BackendOptions& options);

}  // namespace facex::distributed
