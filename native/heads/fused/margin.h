// What a fused head is made of: a margin policy, and the angular arithmetic that policies share.
#pragma once

#include <cmath>
#include <limits>

#include "heads/fused/others.h"
#include "heads/fused/rows.h"

namespace facex::heads::fused {

// Logit of the own class as a function of its cosine (and, for some heads, of the embedding's length).
template <typename T>
struct TargetLogit {
  T value;
  T slope;           // d value / d cosine
  T norm_slope = 0;  // d value / d norm
};

// Base of all policies: a plain scaled cosine for the other classes, no adaptive state, no regulariser. A policy
// defines target() and replaces what differs. Everything here is per row except prepare() and finish().
//
// Logits of the other classes are given as form(), see others.h; where that is not enough or too slow, as
//   void others(const Row<T>& row, const T* cosines, T* logits, int64_t count) const
//     logits of a tile as if none of its classes were the row's own, and
//   void backward(Row<T>& row, const T* cosines, T* grad, int64_t count) const
//     d loss / d logit to d loss / d cosine, in place, for the same tile; the share that goes through the row's own cosine
//     or norm is added to row.cosine_grad and row.norm_grad.
template <typename T>
struct Margin {
  using Scalar = T;
  static constexpr bool kSpherical = true;
  static constexpr bool kOnCuda = true;  // see [Note: policies on CUDA]

  T scale = 1;

  // Before any logit: row margins and thresholds from the rows' cosines and norms, adaptive state.
  void prepare(Step<T>& step) {}

  ScaledOthers<T> form() const { return {scale}; }

  // After all rows: gradients of extra parameters; returns the regulariser, or NaN when the head has none.
  double finish(Step<T>& step) { return std::numeric_limits<double>::quiet_NaN(); }
};

// [Note: the sine at cos = ±1] The slope of sqrt(1 - cos^2) is infinite at ±1. Where 1 - cos^2 is below the machine
// epsilon the sine is held at sqrt(epsilon) and its slope taken as 0, in this file and in reference/forms.h alike; so
// every head is finite there, and an angular margin keeps the slope cos(m) of its first term.
template <typename T>
struct Sine {
  T value, slope;

  explicit Sine(T cosine) {
    const T square = 1 - cosine * cosine;
    const bool held = square < std::numeric_limits<T>::epsilon();
    value = std::sqrt(held ? std::numeric_limits<T>::epsilon() : square);
    slope = held ? T(0) : -cosine / value;
  }
};

// cos(theta + m) and its slope by cos(theta), m given by its cosine and sine.
template <typename T>
TargetLogit<T> add_angle(T cosine, T cos_m, T sin_m) {
  const Sine<T> sine(cosine);
  return {cosine * cos_m - sine.value * sin_m, cos_m - sine.slope * sin_m};
}

// add_angle where theta + m stays below pi; beyond it cos(theta) - fallback, so that the logit stays monotonic enough.
template <typename T>
TargetLogit<T> add_angle_guarded(T cosine, T cos_m, T sin_m, T fallback) {
  if (cosine > -cos_m) return add_angle(cosine, cos_m, sin_m);
  return {cosine - fallback, T(1)};
}

template <typename T>
TargetLogit<T> scaled(TargetLogit<T> logit, T scale) {
  return {logit.value * scale, logit.slope * scale, logit.norm_slope * scale};
}

}  // namespace facex::heads::fused
