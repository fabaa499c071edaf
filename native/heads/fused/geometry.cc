#include "heads/fused/geometry.h"

#include <ATen/ops/empty_like.h>
#include <ATen/ops/mm.h>

#include "core/product.h"

namespace facex::heads::fused {

namespace {

// Classes multiplied at a time: their centres (4 MiB at D = 512) stay in the cache between norm, product and gradient.
constexpr int64_t kBlock = 2048;
constexpr int64_t kGrain = 64;  // centres a thread takes at least

template <typename T>
T dot(const T* __restrict__ a, const T* __restrict__ b, int64_t n) {
  constexpr int64_t kLanes = 16;  // independent sums, for vector registers
  T sums[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  T total = 0;
  for (; i < n; ++i) total += a[i] * b[i];
  for (const T sum : sums) total += sum;
  return total;
}

template <typename T>
T inverse(T norm) {
  return norm < T(kShortest) ? T(0) : 1 / norm;
}

// Calls visit(first, count) for consecutive blocks of centres.
template <typename Visit>
void for_blocks(int64_t centres, const Visit& visit) {
  for (int64_t first = 0; first < centres; first += kBlock) visit(first, std::min(kBlock, centres - first));
}

// From d loss / d (unit centre) to d loss / d centre: the part along the centre falls away, the rest was already
// divided by the length when the products were scaled.
template <typename T>
void project(const T* centres, const T* inverse_norms, const T* grad, T* out, int64_t count, int64_t dims, bool spherical, bool add) {
  at::parallel_for(0, count, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      const T* w = centres + c * dims;
      const T* a = grad + c * dims;
      T* d = out + c * dims;
      const T along = spherical ? dot(w, a, dims) * inverse_norms[c] * inverse_norms[c] : T(0);
      if (add) {
        for (int64_t k = 0; k < dims; ++k) d[k] += a[k] - along * w[k];
      } else {
        for (int64_t k = 0; k < dims; ++k) d[k] = a[k] - along * w[k];
      }
    }
  });
}

// out += a * b; the operands may be narrower than `out`.
void add_product(Tensor& out, const Tensor& a, const Tensor& b) {
  if (a.scalar_type() == out.scalar_type()) {
    product(a, b, out, /*add=*/true);
  } else {
    out.add_(at::mm(a, b));
  }
}

}  // namespace

Tensor operand(const Tensor& x, bool bf16) { return bf16 ? x.to(at::kBFloat16) : x; }

void put_product(Tensor& out, const Tensor& a, const Tensor& b) {
  if (a.scalar_type() == out.scalar_type()) {
    product(a, b, out);
  } else {
    out.copy_(at::mm(a, b));
  }
}

template <typename T>
Tensor normalise(const Tensor& embeddings, bool spherical, std::vector<Row<T>>& rows) {
  const int64_t dims = embeddings.size(1);
  Tensor unit = at::empty_like(embeddings);
  for (size_t i = 0; i < rows.size(); ++i) {
    Row<T>& row = rows[i];
    const T* x = embeddings.const_data_ptr<T>() + i * dims;
    T* u = unit.mutable_data_ptr<T>() + i * dims;
    row.index = static_cast<int64_t>(i);
    row.norm = std::sqrt(dot(x, x, dims));
    row.inverse_norm = spherical ? inverse(row.norm) : T(1);
    for (int64_t k = 0; k < dims; ++k) u[k] = x[k] * row.inverse_norm;
  }
  return unit;
}

template <typename T>
void multiply(const Tensor& unit, const Tensor& centres, bool spherical, bool bf16, Tensor& products, Tensor& inverse_norms) {
  const Tensor unit_operand = operand(unit, bf16);
  const int64_t dims = centres.size(1);
  const T* centre = centres.const_data_ptr<T>();
  T* inverse_norm = inverse_norms.mutable_data_ptr<T>();
  for_blocks(centres.size(0), [&](int64_t first, int64_t count) {
    at::parallel_for(first, first + count, kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t c = begin; c < end; ++c) {
        const T* w = centre + c * dims;
        inverse_norm[c] = spherical ? inverse(std::sqrt(dot(w, w, dims))) : T(1);
      }
    });
    Tensor block = products.narrow(1, first, count);
    put_product(block, unit_operand, operand(centres.narrow(0, first, count), bf16).t());
  });
}

template <typename T>
void backward_products(const Tensor& product_grad, const Tensor& unit, const Tensor& centres, const Tensor& inverse_norms,
                       bool spherical, bool bf16, Tensor& unit_grad, const Tensor& centre_grad, bool add) {
  const Tensor unit_operand = operand(unit, bf16);
  const int64_t count_all = centres.size(0), dims = centres.size(1);
  const Tensor scratch = add ? at::empty({std::min(kBlock, count_all), dims}, centres.options()) : Tensor();
  unit_grad.zero_();
  for_blocks(count_all, [&](int64_t first, int64_t count) {
    const Tensor block_grad = operand(product_grad.narrow(1, first, count), bf16);
    const Tensor block = centres.narrow(0, first, count);
    add_product(unit_grad, block_grad, operand(block, bf16));
    Tensor out = centre_grad.narrow(0, first, count);
    Tensor fresh = add ? scratch.narrow(0, 0, count) : out;
    put_product(fresh, block_grad.t(), unit_operand);
    project<T>(block.const_data_ptr<T>(), inverse_norms.const_data_ptr<T>() + first, fresh.const_data_ptr<T>(),
               out.mutable_data_ptr<T>(), count, dims, spherical, add);
  });
}

template <typename T>
Tensor embedding_gradient(const Tensor& unit_grad, const Tensor& unit, bool spherical, const std::vector<Row<T>>& rows) {
  if (!spherical) return unit_grad;
  const int64_t dims = unit.size(1);
  Tensor result = at::empty_like(unit);
  for (const Row<T>& row : rows) {
    const T* g = unit_grad.const_data_ptr<T>() + row.index * dims;
    const T* u = unit.const_data_ptr<T>() + row.index * dims;
    T* out = result.mutable_data_ptr<T>() + row.index * dims;
    const T along = dot(g, u, dims);
    for (int64_t k = 0; k < dims; ++k) out[k] = (g[k] - u[k] * along) * row.inverse_norm + u[k] * row.norm_grad;
  }
  return result;
}

#define FACEX_INSTANTIATE(T)                                                                                        \
  template Tensor normalise<T>(const Tensor&, bool, std::vector<Row<T>>&);                                          \
  template void multiply<T>(const Tensor&, const Tensor&, bool, bool, Tensor&, Tensor&);                            \
  template void backward_products<T>(const Tensor&, const Tensor&, const Tensor&, const Tensor&, bool, bool,        \
                                     Tensor&, const Tensor&, bool);                                                 \
  template Tensor embedding_gradient<T>(const Tensor&, const Tensor&, bool, const std::vector<Row<T>>&);
FACEX_INSTANTIATE(float)
FACEX_INSTANTIATE(double)
#undef FACEX_INSTANTIATE

}  // namespace facex::heads::fused
