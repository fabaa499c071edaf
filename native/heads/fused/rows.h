// What one step of a fused head works on: the rows of the batch and the one batch-by-classes buffer.
#pragma once

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/collective.h"
#include "core/state.h"

namespace facex::heads::fused {

// Classes handled at a time: small enough that a few tiles stay in the first-level cache.
inline constexpr int64_t kTile = 512;

template <typename T>
struct Row {
  int64_t index = 0;       // row of the batch
  int64_t label = 0;       // -1 where the own class lies on another rank
  int64_t position = 0;    // column of the buffer that holds the own class
  T cosine = 0;            // to the own class
  T norm = 0;              // length of the embedding
  T inverse_norm = 0;      // 0 for an embedding without length
  T margin = 0;            // for heads whose margin differs from row to row
  T threshold = 0;         // what other classes' logits depend on: the cosine above which they count as hard, for heads that mine
  T total = 0, count = 0;  // what a scan over the other classes adds up
  // Written by margin_softmax:
  T top = -std::numeric_limits<T>::infinity(), sum = 0;  // of the logits: maximum, and sum of exp(logit - top)
  T loss = 0;              // cross-entropy
  T target_grad = 0;       // d loss / d logit of the own class
  T cosine_grad = 0;       // d loss / d cosine of the own class that came through other classes' logits
  T norm_grad = 0;         // d loss / d norm
};

// The buffer [N, M] as a head sees it. It first holds embedding-centre products, from which cosines are read; row by
// row it is then overwritten with d loss / d product. M = classes * centres_per_class, the centres of a class side by
// side; the cosine to a class is the largest of its centres' (sub-center ArcFace), and only that one gets a gradient.
template <typename T>
struct Cosines {
  T* data = nullptr;
  int64_t rows = 0, classes = 0, centres_per_class = 1;
  const T* inverse_norms = nullptr;  // [M], of the centres
  bool spherical = true;             // false: products are taken as they are; -infinity masks a class

  T* row(int64_t i) const { return data + i * classes * centres_per_class; }

  T at(int64_t i, int64_t position) const { return clamp(row(i)[position] * inverse_norms[position]); }

  // Column of the best centre of a class.
  int64_t locate(int64_t i, int64_t label) const {
    int64_t best = label * centres_per_class;
    for (int64_t c = best + 1; c < (label + 1) * centres_per_class; ++c) {
      if (at(i, c) > at(i, best)) best = c;
    }
    return best;
  }

  void load(int64_t i, int64_t first, int64_t count, T* __restrict__ out) const {
    if (centres_per_class > 1) {
      for (int64_t j = 0; j < count; ++j) out[j] = at(i, locate(i, first + j));
      return;
    }
    const T* __restrict__ products = row(i) + first;
    const T* __restrict__ inverse = inverse_norms + first;
    if (!spherical) {
      std::copy_n(products, count, out);
      return;
    }
    for (int64_t j = 0; j < count; ++j) out[j] = clamp(products[j] * inverse[j]);
  }

  // Replaces the products of a tile by their gradients, given those of the cosines.
  void store(int64_t i, int64_t first, int64_t count, const T* __restrict__ grad) const {
    if (centres_per_class > 1) {
      for (int64_t j = 0; j < count; ++j) {
        const int64_t best = locate(i, first + j), begin = (first + j) * centres_per_class;
        std::fill_n(row(i) + begin, centres_per_class, T(0));
        row(i)[best] = grad[j] * inverse_norms[best];
      }
      return;
    }
    T* __restrict__ products = row(i) + first;
    const T* __restrict__ inverse = inverse_norms + first;
    for (int64_t j = 0; j < count; ++j) products[j] = grad[j] * inverse[j];
  }

 private:
  // Rounding may leave a cosine just outside [-1, 1].
  T clamp(T cosine) const { return spherical ? std::min(std::max(cosine, T(-1)), T(1)) : cosine; }
};

template <typename T>
struct Step {
  std::vector<Row<T>>& rows;
  const Cosines<T>& cosines;
  State& state;
  T grad_scale;    // gradients are those of grad_scale * loss
  bool adapt;      // update adaptive state
  bool gradients;
  int64_t all_classes;          // on all ranks
  Collective* group = nullptr;  // where the classes are shared; every rank sees the same rows

  T row_scale() const { return grad_scale / static_cast<T>(rows.size()); }

  // Of each row's numbers, which lie apart on the ranks, the sum (or maximum) over all ranks. Nothing without a group.
  template <typename... Fields>
  void combine(Reduction reduction, Fields... fields) const {
    if (group == nullptr) return;
    const auto n = static_cast<int64_t>(rows.size());
    const Tensor values = at::empty({static_cast<int64_t>(sizeof...(fields)), n}, at::TensorOptions().dtype(c10::CppTypeToScalarType<T>::value));
    T* value = values.template mutable_data_ptr<T>();
    for (const Row<T>& row : rows) {
      int64_t field = 0;
      ((value[n * field++ + row.index] = row.*fields), ...);
    }
    group->all_reduce(values, reduction);
    for (Row<T>& row : rows) {
      int64_t field = 0;
      ((row.*fields = value[n * field++ + row.index]), ...);
    }
  }

  // The sum over all ranks.
  double combine(double value) const {
    if (group == nullptr) return value;
    const Tensor sum = at::full({1}, value, at::kDouble);
    group->all_reduce(sum, Reduction::kSum);
    return sum.item<double>();
  }

  // Calls visit(row, cosines, first, count) for every tile of every row; rows run in parallel. What it adds to a row's
  // `total` and `count` is then that of the classes on all ranks.
  template <typename Visit>
  void scan(const Visit& visit) const {
    at::parallel_for(0, static_cast<int64_t>(rows.size()), 1, [&](int64_t begin, int64_t end) {
      T tile[kTile];
      for (int64_t i = begin; i < end; ++i) {
        for (int64_t first = 0; first < cosines.classes; first += kTile) {
          const int64_t count = std::min(kTile, cosines.classes - first);
          cosines.load(i, first, count, tile);
          visit(rows[i], tile, first, count);
        }
      }
    });
    combine(Reduction::kSum, &Row<T>::total, &Row<T>::count);
  }
};

}  // namespace facex::heads::fused
