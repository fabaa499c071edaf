// Products of float32 matrices on the CPU. libtorch's are MKL's, which does not use AVX-512 on processors of other makers
// than Intel: half of what such a machine can do. There these loops of our own step in.
// Results do not depend on the number of threads.
#pragma once

#include "core/tensor.h"

namespace facex {

// to [M, N] = left [M, K] right [K, N], added to what is there where `add` says so. Operands may be transposed or narrowed
// views; the rows of `to` are contiguous. Types other than float32 and small products are libtorch's.
void product(const Tensor& left, const Tensor& right, const Tensor& to, bool add = false);

// The same into a new tensor.
Tensor product(const Tensor& left, const Tensor& right);

}  // namespace facex
