// Margin, softmax cross-entropy and their gradient, one row at a time, in place.
//
// A row is read twice and written once. The first pass turns tiles of cosines into logits and keeps a running maximum
// and sum; the second recomputes the logits, which is cheaper than storing them, and writes gradients over the
// products.
#pragma once

#include <cmath>

#include "heads/fused/exponential.h"
#include "heads/fused/margin.h"

namespace facex::heads::fused {

template <typename T, typename Policy>
void margin_softmax_row(const Policy& policy, const Step<T>& step, Row<T>& row, T* logits_out) {
  const Cosines<T>& cosines = step.cosines;
  const TargetLogit<T> target = policy.target(row);
  T cosine[kTile], logit[kTile];

  const auto load_logits = [&](int64_t first, int64_t count) {
    cosines.load(row.index, first, count, cosine);
    policy.others(row, cosine, logit, count);
    const bool own = row.label >= first && row.label < first + count;
    if (own) logit[row.label - first] = target.value;
    return own;
  };

  T top = -std::numeric_limits<T>::infinity(), sum = 0;
  for (int64_t first = 0; first < cosines.classes; first += kTile) {
    const int64_t count = std::min(kTile, cosines.classes - first);
    load_logits(first, count);
    if (logits_out != nullptr) std::copy_n(logit, count, logits_out + first);
    const T tile_top = maximum(logit, count);
    if (tile_top > top) {
      sum *= std::exp(top - tile_top);
      top = tile_top;
    }
    if (top == -std::numeric_limits<T>::infinity()) continue;  // only masked classes so far
    sum += exp_shifted(logit, count, top);
  }
  row.loss = (top - target.value) + std::log(sum);
  if (!step.gradients) return;

  const T unit = step.row_scale(), factor = unit / sum;
  row.cosine_grad = row.norm_grad = 0;
  for (int64_t first = 0; first < cosines.classes; first += kTile) {
    const int64_t count = std::min(kTile, cosines.classes - first);
    const bool own = load_logits(first, count);
    exp_shifted(logit, count, top);
    for (int64_t j = 0; j < count; ++j) logit[j] *= factor;
    if (own) {
      row.target_grad = logit[row.label - first] - unit;
      logit[row.label - first] = 0;  // the other classes' backward must not see it
    }
    policy.backward(row, cosine, logit, count);
    cosines.store(row.index, first, count, logit);
  }
  cosines.row(row.index)[row.position] = (row.target_grad * target.slope + row.cosine_grad) * cosines.inverse_norms[row.position];
  row.norm_grad += row.target_grad * target.norm_slope;
}

template <typename T, typename Policy>
void margin_softmax(const Policy& policy, Step<T>& step, T* logits_out) {
  at::parallel_for(0, static_cast<int64_t>(step.rows.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      margin_softmax_row(policy, step, step.rows[i], logits_out == nullptr ? nullptr : logits_out + i * step.cosines.classes);
    }
  });
}

template <typename T>
double mean_loss(const std::vector<Row<T>>& rows) {
  double total = 0;
  for (const Row<T>& row : rows) total += row.loss;
  return total / static_cast<double>(rows.size());
}

}  // namespace facex::heads::fused
