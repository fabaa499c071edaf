// From tensors to the storage types of the inner loops.
#pragma once

#include "core/tensor.h"
#include "engine/kernels/loops/number.h"

namespace facex::engine::kernels {

template <typename T>
const T* in(const Tensor& tensor) {
  return tensor.defined() ? static_cast<const T*>(tensor.const_data_ptr()) : nullptr;
}
template <typename T>
T* out(const Tensor& tensor) {
  return tensor.defined() ? static_cast<T*>(tensor.mutable_data_ptr()) : nullptr;
}

// body(T()) for the storage type of `type`.
template <typename Body>
auto with_storage(at::ScalarType type, Body body) {
  if (type == at::kDouble) return body(double());
  if (type == at::kBFloat16) return body(loops::Bf16());
  return body(float());
}

// The dtype of sums and coefficients for values of this dtype.
inline at::ScalarType wide_type(at::ScalarType type) { return type == at::kDouble ? at::kDouble : at::kFloat; }

// Whether loops exist for values of this dtype in this memory.
inline bool has_storage(const Tensor& x) {
  const auto type = x.scalar_type();
  return x.is_cpu() && x.numel() > 0 && (type == at::kFloat || type == at::kDouble || type == at::kBFloat16);
}

}  // namespace facex::engine::kernels
