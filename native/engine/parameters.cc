#include "engine/parameters.h"

#include <cstring>

namespace facex::engine {

const NodeParameters::Role* NodeParameters::find(const char* role) const {
  for (const Role& bound : roles_) {
    if (bound.name == role) return &bound;
  }
  return nullptr;
}

uint64_t NodeParameters::versions() const {
  uint64_t sum = 0;
  for (const Role& bound : roles_) sum += bound.entry->version;
  return sum;
}

Tensor NodeParameters::master(const char* role) const {
  const Role* bound = find(role);
  return bound == nullptr ? Tensor() : bound->entry->value;
}

Tensor NodeParameters::compute(const char* role) {
  Role* bound = find(role);
  if (bound == nullptr) return {};
  const Tensor& value = bound->entry->value;
  if (value.scalar_type() == compute_) return value;
  if (!bound->cast.defined() || bound->cast_version != bound->entry->version) {
    bound->cast = value.to(compute_);
    bound->cast_version = bound->entry->version;
  }
  return bound->cast;
}

bool NodeParameters::wants_grad(const char* role) const {
  const Role* bound = find(role);
  return bound != nullptr && bound->entry->kind == EntryKind::kParameter;
}

void NodeParameters::add_grad(const char* role, const Tensor& grad) {
  Role* bound = find(role);
  if (bound == nullptr || bound->entry->kind != EntryKind::kParameter) return;
  accumulate_grad(*bound->entry, grad.to(bound->entry->value.scalar_type()));
}

void NodeParameters::written(const char* role) {
  if (Role* bound = find(role)) ++bound->entry->version;
}

}  // namespace facex::engine
