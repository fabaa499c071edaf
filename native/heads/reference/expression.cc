// A head written in TypeScript, word by word as tensor operations; see heads/expression.h.
#include "heads/expression.h"

#include <ATen/ops/full_like.h>
#include <ATen/ops/where.h>

#include "heads/options.h"
#include "heads/reference/forms.h"
#include "heads/reference/reference_head.h"

namespace facex::heads::reference {

namespace {

struct Operands {
  Tensor cos_j, cos_y, norm;  // broadcast against each other: [N, K] or [N, 1], [N, 1], [N, 1]
  double epsilon;
};

Tensor operand(const Instruction& step, const Operands& in) {
  if (step.operation == Operation::kCosJ) return in.cos_j;
  if (step.operation == Operation::kCosY) return in.cos_y;
  if (step.operation == Operation::kNorm) return in.norm;
  return at::full_like(in.norm.detach(), step.number);
}

Tensor apply_one(Operation operation, const Tensor& x, double epsilon) {
  const double limit = std::sqrt(1 - epsilon);
  switch (operation) {
    case Operation::kNeg: return -x;
    case Operation::kExp: return x.exp();
    case Operation::kLog: return x.clamp_min(epsilon).log();
    case Operation::kSqrt: return x.clamp_min(epsilon).sqrt();
    case Operation::kCos: return x.cos();
    case Operation::kSin: return x.sin();
    case Operation::kAcos: return x.clamp(-limit, limit).acos();
    case Operation::kSine: return sine(x);
    default: return x.detach();  // const
  }
}

Tensor apply_two(Operation operation, const Tensor& x, const Tensor& y) {
  switch (operation) {
    case Operation::kAdd: return x + y;
    case Operation::kSub: return x - y;
    case Operation::kMul: return x * y;
    case Operation::kDiv: return x / y;
    case Operation::kMin: return at::where(x <= y, x, y);
    default: return at::where(x >= y, x, y);  // max
  }
}

Tensor evaluate(const Expression& expression, const Operands& in) {
  std::vector<Tensor> stack;
  const auto pop = [&stack] {
    Tensor top = stack.back();
    stack.pop_back();
    return top;
  };
  for (const Instruction& step : expression.code) {
    const size_t taken = arity(step.operation);
    if (taken == 0) {
      stack.push_back(operand(step, in));
    } else if (taken == 1) {
      stack.push_back(apply_one(step.operation, pop(), in.epsilon));
    } else if (taken == 2) {
      const Tensor y = pop(), x = pop();
      stack.push_back(apply_two(step.operation, x, y));
    } else {
      const Tensor y = pop(), x = pop(), b = pop(), a = pop();
      stack.push_back(at::where(a > b, x, y));
    }
  }
  return stack.back();
}

}  // namespace

Logits expression(const Inputs& in) {
  const Tensor cos = cosines(in), cos_y = own(cos, in.labels), norm = lengths(in.embeddings);
  const double epsilon = cos.scalar_type() == at::kDouble ? std::numeric_limits<double>::epsilon() : std::numeric_limits<float>::epsilon();
  const HeadExpressions parsed = expressions_of(in.options);
  const auto value = [&](const Expression& expression, const Tensor& cos_j) { return evaluate(expression, {cos_j, cos_y, norm, epsilon}); };
  const Tensor others = value(parsed.other, cos).expand(cos.sizes());
  const Tensor logits = with_own(others, in.labels, value(parsed.own, cos_y).expand(cos_y.sizes()));
  if (in.options.choices.count("regulariser") == 0) return {logits};
  return {logits, in.labels.share() * value(parsed.regulariser, cos_y).mean()};
}

std::unique_ptr<Head> expression_head(const Definition& definition, const HeadOptions& options) {
  expressions_of(options);  // a mistake is said now, not at the first step
  return make<expression>(definition, options);
}

}  // namespace facex::heads::reference
