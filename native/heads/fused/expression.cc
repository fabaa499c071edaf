// A head written in TypeScript (lib/heads/expression.ts): own(cos_y, norm) and other(cos_j, cos_y, norm) are logits,
// regulariser(norm) is averaged over the rows and added to the loss. The gradient is exact, also through cos_y and norm
// of the other classes' logits; at the edges of log, sqrt, acos and sine see dual.h.
#include "heads/fused/dual.h"
#include "heads/fused/fused_head.h"
#include "heads/fused/policies.h"
#include "heads/options.h"

namespace facex::heads::fused {

namespace {

template <typename T>
struct ExpressionMargin : Margin<T> {
  static constexpr bool kOnCuda = false;  // its other logits are a program

  const HeadExpressions parsed;
  const Expression &own = parsed.own, &other = parsed.other, &regulariser = parsed.regulariser;
  const bool has_regulariser;

  explicit ExpressionMargin(const HeadOptions& options) : parsed(expressions_of(options)), has_regulariser(options.choices.count("regulariser") > 0) {}

  TargetLogit<T> target(const Row<T>& row) const {
    std::vector<Dual<T>> stack;
    evaluate(own, row, &row.cosine, 1, stack);
    return {stack[0].value[0], stack[0].by_cos_y[0] + stack[0].by_cos_j[0], stack[0].by_norm[0]};
  }

  void others(const Row<T>& row, const T* __restrict__ cosines, T* __restrict__ logits, int64_t count) const {
    std::vector<Dual<T>> stack;
    for (int64_t first = 0; first < count; first += kRun) {
      const int64_t run = std::min(kRun, count - first);
      evaluate(other, row, cosines + first, run, stack);
      std::copy_n(stack[0].value.begin(), run, logits + first);
    }
  }

  void backward(Row<T>& row, const T* __restrict__ cosines, T* __restrict__ grad, int64_t count) const {
    std::vector<Dual<T>> stack;
    for (int64_t first = 0; first < count; first += kRun) {
      const int64_t run = std::min(kRun, count - first);
      evaluate(other, row, cosines + first, run, stack);
      for (int64_t j = 0; j < run; ++j) {
        row.cosine_grad += grad[first + j] * stack[0].by_cos_y[j];
        row.norm_grad += grad[first + j] * stack[0].by_norm[j];
        grad[first + j] *= stack[0].by_cos_j[j];
      }
    }
  }

  double finish(Step<T>& step) {
    if (!has_regulariser) return Margin<T>::finish(step);
    double total = 0;
    std::vector<Dual<T>> stack;
    for (Row<T>& row : step.rows) {
      evaluate(regulariser, row, &row.cosine, 1, stack);
      total += stack[0].value[0];
      row.norm_grad += step.row_scale() * stack[0].by_norm[0];
    }
    return total / static_cast<double>(step.rows.size());
  }
};

}  // namespace

std::unique_ptr<Head> expression(const Definition& definition, const HeadOptions& options) {
  return make_fused<ExpressionMargin>(definition, options);
}

}  // namespace facex::heads::fused
