// A head's logit written by a user: an expression over cosines, sent by lib/heads/expression.ts as words in postfix
// order, such as "cos_y 0.35 - 32 *".
//
//   operands   numbers; cos_j, the cosine to another class; cos_y, to the own class; norm, the embedding's length
//   one value  neg exp log sqrt cos sin acos sine const     (sine: sin(theta) from cos(theta); const: no gradient)
//   two        + - * / min max
//   four       above        "a b x y above" is x where a > b, else y
#pragma once

#include <string>
#include <vector>

#include "heads/head.h"

namespace facex::heads {

enum class Operation { kNumber, kCosJ, kCosY, kNorm, kNeg, kExp, kLog, kSqrt, kCos, kSin, kAcos, kSine, kConst, kAdd, kSub, kMul, kDiv, kMin, kMax, kAbove };

struct Instruction {
  Operation operation;
  double number = 0;
};

struct Expression {
  std::vector<Instruction> code;
  size_t depth = 0;  // values on the stack at most

  bool uses(Operation operand) const;
};

// How many values an operation takes from the stack.
size_t arity(Operation operation);

// `where` names the expression in messages, such as "head Mine: own". ErrorCode::kConfig for unknown words, a stack
// that does not end with one value, or one deeper than 16.
Expression parse_expression(const std::string& text, const std::string& where);

// The logits of a head, and what is added to a sample's loss.
struct HeadExpressions {
  Expression own, other, regulariser;
};

// Those of a head's options; the regulariser is 0 where there is none.
HeadExpressions expressions_of(const HeadOptions& options);

}  // namespace facex::heads
