// State entries as a node sees them: by role, in the dtype of the computation.
#pragma once

#include <any>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/state.h"

namespace facex::engine {

class NodeParameters {
 public:
  explicit NodeParameters(at::ScalarType compute) : compute_(compute) {}
  void bind(std::string role, Entry* entry) { roles_.push_back({std::move(role), entry, {}, 0}); }

  bool has(const char* role) const { return find(role) != nullptr; }
  // The master tensor: float32 or float64, or int64 for counters. Undefined when an optional role is absent.
  Tensor master(const char* role) const;
  // The tensor in the dtype of the activations; a cast is kept until the master changes.
  Tensor compute(const char* role);
  // What `make()` makes of the masters, kept until one of them changes: layouts that kernels want, for example.
  template <typename Make>
  const auto& made(const char* name, Make make) {
    using Result = decltype(make());
    Made& kept = made_[name];
    const uint64_t version = versions();
    if (!kept.result.has_value() || kept.version != version) kept = {make(), version};
    return *std::any_cast<Result>(&kept.result);
  }
  // Whether the role is bound to a parameter; buffers never receive gradients.
  bool wants_grad(const char* role) const;
  void add_grad(const char* role, const Tensor& grad);
  // After the op has written a buffer in place.
  void written(const char* role);

 private:
  struct Role {
    std::string name;
    Entry* entry;
    Tensor cast;
    uint64_t cast_version;
  };
  struct Made {
    std::any result;
    uint64_t version = 0;
  };
  const Role* find(const char* role) const;
  // Grows whenever a master changes.
  uint64_t versions() const;
  Role* find(const char* role) { return const_cast<Role*>(std::as_const(*this).find(role)); }

  at::ScalarType compute_;
  std::vector<Role> roles_;
  std::map<std::string, Made> made_;
};

}  // namespace facex::engine
