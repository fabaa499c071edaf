// Values between nodes and their gradients, as the executor keeps them.
#pragma once

#include <ATen/ops/add.h>

#include <utility>
#include <vector>

#include "core/tensor.h"
#include "engine/kernels/channels.h"
#include "engine/op.h"

namespace facex::engine {

// Values by node id, each with the number of times that it is still wanted.
struct Values {
  explicit Values(size_t count) : of(count), uses(count) {}
  std::vector<Tensor> of;
  std::vector<size_t> uses;
};

// Images lie channels-last everywhere, all other values row-major.
inline Tensor laid_out(const Tensor& value) {
  if (value.dim() != 4) return value.contiguous();
  const bool sliced = !value.is_contiguous(at::MemoryFormat::ChannelsLast) && kernels::is_channel_slice(value);
  return sliced ? kernels::packed_channels(value) : value.contiguous(at::MemoryFormat::ChannelsLast);
}

// An expanded tensor has no place of its own for each element.
inline bool takes_sums(const Tensor& value) { return is_own(value) && value.is_non_overlapping_and_dense(); }

// grad += more, in place where possible: an add hands one gradient to both of its operands.
inline void add_grad(Tensor& grad, Tensor more) {
  if (!grad.defined()) {
    grad = std::move(more);
  } else if (takes_sums(grad)) {
    grad.add_(more);
  } else if (takes_sums(more)) {
    grad = more.add_(grad);
  } else {
    grad = at::add(grad, more);
  }
}

}  // namespace facex::engine
