#include "heads/fused/dual.h"

#include <tuple>

namespace facex::heads::fused {

namespace {

template <typename T>
struct Point {
  T value, slope;
};

template <typename T>
void apply_one(Operation operation, Dual<T>& x) {
  static constexpr T kEpsilon = std::numeric_limits<T>::epsilon();
  switch (operation) {
    case Operation::kNeg: return x.map([](T v) { return Point<T>{-v, T(-1)}; });
    case Operation::kExp: return x.map([](T v) { const T e = std::exp(v); return Point<T>{e, e}; });
    case Operation::kLog: return x.map([](T v) { return v < kEpsilon ? Point<T>{std::log(kEpsilon), T(0)} : Point<T>{std::log(v), 1 / v}; });
    case Operation::kSqrt:
      return x.map([](T v) { const T root = std::sqrt(std::max(v, kEpsilon)); return Point<T>{root, v < kEpsilon ? T(0) : T(0.5) / root}; });
    case Operation::kCos: return x.map([](T v) { return Point<T>{std::cos(v), -std::sin(v)}; });
    case Operation::kSin: return x.map([](T v) { return Point<T>{std::sin(v), std::cos(v)}; });
    case Operation::kAcos:
      return x.map([](T v) {
        const T limit = std::sqrt(1 - kEpsilon), held = std::clamp(v, -limit, limit);
        return Point<T>{std::acos(held), held == v ? -1 / std::sqrt(1 - v * v) : T(0)};
      });
    case Operation::kSine: return x.map([](T v) { const Sine<T> sine(v); return Point<T>{sine.value, sine.slope}; });
    default: return x.map([](T v) { return Point<T>{v, T(0)}; });  // const
  }
}

template <typename T>
void apply_two(Operation operation, Dual<T>& x, const Dual<T>& y) {
  using Slopes = std::tuple<T, T, T>;
  switch (operation) {
    case Operation::kAdd: return x.merge(y, [](T a, T b) { return Slopes{a + b, 1, 1}; });
    case Operation::kSub: return x.merge(y, [](T a, T b) { return Slopes{a - b, 1, -1}; });
    case Operation::kMul: return x.merge(y, [](T a, T b) { return Slopes{a * b, b, a}; });
    case Operation::kDiv: return x.merge(y, [](T a, T b) { return Slopes{a / b, 1 / b, -a / (b * b)}; });
    case Operation::kMin: return x.merge(y, [](T a, T b) { return a <= b ? Slopes{a, 1, 0} : Slopes{b, 0, 1}; });
    default: return x.merge(y, [](T a, T b) { return a >= b ? Slopes{a, 1, 0} : Slopes{b, 0, 1}; });  // max
  }
}

// stack: a b x y; leaves x where a > b, else y.
template <typename T>
void select(Dual<T>* stack) {
  for (int64_t i = 0; i < kRun; ++i) {
    const Dual<T>& chosen = stack[0].value[i] > stack[1].value[i] ? stack[2] : stack[3];
    stack[0].value[i] = chosen.value[i];
    stack[0].by_cos_j[i] = chosen.by_cos_j[i];
    stack[0].by_cos_y[i] = chosen.by_cos_y[i];
    stack[0].by_norm[i] = chosen.by_norm[i];
  }
}

}  // namespace

template <typename T>
void evaluate(const Expression& expression, const Row<T>& row, const T* cosines, int64_t count, std::vector<Dual<T>>& stack) {
  stack.resize(expression.depth);
  Dual<T>* top = stack.data();  // one past the last value
  for (const Instruction& step : expression.code) {
    const size_t taken = arity(step.operation);
    if (taken == 0) {
      Dual<T>& fresh = *top++;
      fresh.set(step.operation == Operation::kCosY ? row.cosine : step.operation == Operation::kNorm ? row.norm : T(step.number));
      if (step.operation == Operation::kCosJ) std::copy_n(cosines, count, fresh.value.begin());
      if (step.operation == Operation::kCosJ) fresh.by_cos_j.fill(1);
      if (step.operation == Operation::kCosY) fresh.by_cos_y.fill(1);
      if (step.operation == Operation::kNorm) fresh.by_norm.fill(1);
    } else if (taken == 1) {
      apply_one(step.operation, top[-1]);
    } else if (taken == 2) {
      apply_two(step.operation, top[-2], top[-1]);
      --top;
    } else {
      select(top - 4);
      top -= 3;
    }
  }
}

template void evaluate(const Expression&, const Row<float>&, const float*, int64_t, std::vector<Dual<float>>&);
template void evaluate(const Expression&, const Row<double>&, const double*, int64_t, std::vector<Dual<double>>&);

}  // namespace facex::heads::fused
