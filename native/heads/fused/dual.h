// Forward-mode differentiation of a user's expression over a run of cosines: every value carries its slopes by the
// cosine to the other class, by the cosine to the own class and by the norm.
#pragma once

#include <array>

#include "heads/expression.h"
#include "heads/fused/margin.h"

namespace facex::heads::fused {

inline constexpr int64_t kRun = 64;  // cosines at a time: a stack of runs stays in the first-level cache

template <typename T>
struct Dual {
  using Run = std::array<T, kRun>;
  Run value, by_cos_j, by_cos_y, by_norm;

  void set(T constant) {
    value.fill(constant);
    by_cos_j.fill(0), by_cos_y.fill(0), by_norm.fill(0);
  }

  // value and slopes become those of f(this), given f and its slope at the value.
  template <typename F>
  void map(const F& f) {
    for (int64_t i = 0; i < kRun; ++i) {
      const auto [result, slope] = f(value[i]);
      value[i] = result;
      by_cos_j[i] *= slope, by_cos_y[i] *= slope, by_norm[i] *= slope;
    }
  }

  // The same for f(this, other) with the slopes by both.
  template <typename F>
  void merge(const Dual& other, const F& f) {
    for (int64_t i = 0; i < kRun; ++i) {
      const auto [result, a, b] = f(value[i], other.value[i]);
      value[i] = result;
      by_cos_j[i] = a * by_cos_j[i] + b * other.by_cos_j[i];
      by_cos_y[i] = a * by_cos_y[i] + b * other.by_cos_y[i];
      by_norm[i] = a * by_norm[i] + b * other.by_norm[i];
    }
  }
};

// Evaluates for `count` <= kRun cosines of one row; the result lies in stack[0]. The edges are those of
// reference/expression.cc: arguments of log and sqrt are held at epsilon or more, those of acos within
// ±sqrt(1 - epsilon), with slope 0 where held.
template <typename T>
void evaluate(const Expression& expression, const Row<T>& row, const T* cosines, int64_t count, std::vector<Dual<T>>& stack);

}  // namespace facex::heads::fused
