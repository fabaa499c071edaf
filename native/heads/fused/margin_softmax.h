// Margin, softmax cross-entropy and their gradient, one row at a time, in place.
//
// A row is read twice and written once. The first pass turns tiles of cosines into logits and keeps a running maximum
// and sum; the second recomputes the logits, which is cheaper than storing them, and writes gradients over the
// products. Where the classes are shared between processes, maxima and sums are reduced between the passes: a few numbers
// a row, never a row.
#pragma once

#include <cmath>

#include "heads/fused/exponential.h"
#include "heads/fused/margin.h"

namespace facex::heads::fused {

// Maxima and sums over the classes of all ranks from those over the classes of each.
template <typename T>
void share_measures(const Step<T>& step) {
  std::vector<T> own;
  for (const Row<T>& row : step.rows) own.push_back(row.top);
  step.combine(Reduction::kMax, &Row<T>::top);
  for (Row<T>& row : step.rows) row.sum *= std::exp(own[row.index] - row.top);
  step.combine(Reduction::kSum, &Row<T>::sum);
}

template <typename T, typename Policy>
class MarginSoftmax {
 public:
  MarginSoftmax(const Policy& policy, const Step<T>& step, T* logits_out) : policy_(policy), step_(step), logits_out_(logits_out) {}

  // Maximum and sum over the classes of this process.
  void measure(Row<T>& row) const {
    const Cosines<T>& cosines = step_.cosines;
    const TargetLogit<T> target = policy_.target(row);
    T cosine[kTile], logit[kTile];
    T top = -std::numeric_limits<T>::infinity(), sum = 0;
    for (int64_t first = 0; first < cosines.classes; first += kTile) {
      const int64_t count = std::min(kTile, cosines.classes - first);
      load_logits(row, target, first, count, cosine, logit);
      if (logits_out_ != nullptr) std::copy_n(logit, count, logits_out_ + row.index * cosines.classes + first);
      const T tile_top = maximum(logit, count);
      if (tile_top > top) {
        sum *= std::exp(top - tile_top);
        top = tile_top;
      }
      if (top == -std::numeric_limits<T>::infinity()) continue;  // only masked classes so far
      sum += exp_shifted(logit, count, top);
    }
    row.top = top;
    row.sum = sum;
  }

  // Over all classes, given the maximum and the sum over them.
  void take_loss(Row<T>& row) const { row.loss = (row.top - policy_.target(row).value) + std::log(row.sum); }

  // Gradients over the products; those that reach the own cosine and the length add up in the row.
  void derive(Row<T>& row) const {
    const Cosines<T>& cosines = step_.cosines;
    const TargetLogit<T> target = policy_.target(row);
    T cosine[kTile], logit[kTile];
    const T unit = step_.row_scale(), factor = unit / row.sum;
    row.target_grad = row.cosine_grad = row.norm_grad = 0;
    for (int64_t first = 0; first < cosines.classes; first += kTile) {
      const int64_t count = std::min(kTile, cosines.classes - first);
      const bool own = load_logits(row, target, first, count, cosine, logit);
      exp_shifted(logit, count, row.top);
      for (int64_t j = 0; j < count; ++j) logit[j] *= factor;
      if (own) {
        row.target_grad = logit[row.label - first] - unit;
        logit[row.label - first] = 0;  // the other classes' backward must not see it
      }
      backward(row, cosine, logit, count);
      cosines.store(row.index, first, count, logit);
    }
    row.norm_grad += row.target_grad * target.norm_slope;
  }

  // The gradient of the own product, once all classes have been seen.
  void place_own(const Row<T>& row) const {
    if (row.label < 0) return;
    const TargetLogit<T> target = policy_.target(row);
    step_.cosines.row(row.index)[row.position] = (row.target_grad * target.slope + row.cosine_grad) * step_.cosines.inverse_norms[row.position];
  }

 private:
  // Whether the policy has loops of its own for the other classes; else its form is used.
  static constexpr bool kOwnLoops = requires { &Policy::others; };
  static_assert(kOwnLoops == requires { &Policy::backward; }, "others() and backward() belong together");

  void others(const Row<T>& row, const T* __restrict__ cosine, T* __restrict__ logit, int64_t count) const {
    if constexpr (kOwnLoops) {
      policy_.others(row, cosine, logit, count);
    } else {
      const auto form = policy_.form();
      const T threshold = row.threshold;
      for (int64_t j = 0; j < count; ++j) logit[j] = form.value(cosine[j], threshold);
    }
  }

  void backward(Row<T>& row, const T* __restrict__ cosine, T* __restrict__ grad, int64_t count) const {
    if constexpr (kOwnLoops) {
      policy_.backward(row, cosine, grad, count);
    } else {
      const auto form = policy_.form();
      const T threshold = row.threshold;
      for (int64_t j = 0; j < count; ++j) grad[j] *= form.slope(cosine[j], threshold);
    }
  }

  // Whether the tile holds the own class.
  bool load_logits(const Row<T>& row, const TargetLogit<T>& target, int64_t first, int64_t count, T* cosine, T* logit) const {
    step_.cosines.load(row.index, first, count, cosine);
    others(row, cosine, logit, count);
    const bool own = row.label >= first && row.label < first + count;
    if (own) logit[row.label - first] = target.value;
    return own;
  }

  const Policy& policy_;
  const Step<T>& step_;
  T* const logits_out_;
};

template <typename T, typename Visit>
void for_rows(Step<T>& step, const Visit& visit) {
  at::parallel_for(0, static_cast<int64_t>(step.rows.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) visit(step.rows[i]);
  });
}

template <typename T, typename Policy>
void margin_softmax(const Policy& policy, Step<T>& step, T* logits_out) {
  const MarginSoftmax<T, Policy> softmax(policy, step, logits_out);
  if (step.group == nullptr) {
    // Both passes over a row while it is in the cache.
    for_rows(step, [&](Row<T>& row) {
      softmax.measure(row);
      softmax.take_loss(row);
      if (!step.gradients) return;
      softmax.derive(row);
      softmax.place_own(row);
    });
    return;
  }
  for_rows(step, [&](Row<T>& row) { softmax.measure(row); });
  share_measures(step);
  for_rows(step, [&](Row<T>& row) {
    softmax.take_loss(row);
    if (step.gradients) softmax.derive(row);
  });
  if (!step.gradients) return;
  step.combine(Reduction::kSum, &Row<T>::cosine_grad, &Row<T>::norm_grad);
  for_rows(step, [&](Row<T>& row) { softmax.place_own(row); });
}

template <typename T>
double mean_loss(const std::vector<Row<T>>& rows) {
  double total = 0;
  for (const Row<T>& row : rows) total += row.loss;
  return total / static_cast<double>(rows.size());
}

}  // namespace facex::heads::fused
