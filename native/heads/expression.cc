#include "heads/expression.h"

#include <algorithm>
#include <map>
#include <sstream>

#include "core/error.h"
#include "heads/options.h"

namespace facex::heads {

namespace {

constexpr size_t kDeepest = 16;

const std::map<std::string, Operation>& words() {
  static const std::map<std::string, Operation> words = {
      {"cos_j", Operation::kCosJ}, {"cos_y", Operation::kCosY}, {"norm", Operation::kNorm}, {"neg", Operation::kNeg},
      {"exp", Operation::kExp},    {"log", Operation::kLog},    {"sqrt", Operation::kSqrt}, {"cos", Operation::kCos},
      {"sin", Operation::kSin},    {"acos", Operation::kAcos},  {"sine", Operation::kSine}, {"const", Operation::kConst},
      {"+", Operation::kAdd},      {"-", Operation::kSub},      {"*", Operation::kMul},     {"/", Operation::kDiv},
      {"min", Operation::kMin},    {"max", Operation::kMax},    {"above", Operation::kAbove}};
  return words;
}

Instruction read(const std::string& word, const std::string& where) {
  if (const auto found = words().find(word); found != words().end()) return {found->second};
  size_t used = 0;
  try {
    const double number = std::stod(word, &used);
    if (used == word.size()) return {Operation::kNumber, number};
  } catch (const std::exception&) {
  }
  fail(ErrorCode::kConfig, where, ": expected a number, an operand or an operation, got \"", word, '"');
}

}  // namespace

bool Expression::uses(Operation operand) const {
  return std::any_of(code.begin(), code.end(), [operand](const Instruction& step) { return step.operation == operand; });
}

size_t arity(Operation operation) {
  if (operation <= Operation::kNorm) return 0;
  if (operation <= Operation::kConst) return 1;
  return operation == Operation::kAbove ? 4 : 2;
}

Expression parse_expression(const std::string& text, const std::string& where) {
  Expression expression;
  std::istringstream stream(text);
  size_t depth = 0;
  for (std::string word; stream >> word;) {
    const Instruction step = read(word, where);
    if (depth < arity(step.operation)) fail(ErrorCode::kConfig, where, ": \"", word, "\" takes ", arity(step.operation), " values, found ", depth);
    depth += 1 - arity(step.operation);
    expression.depth = std::max(expression.depth, depth);
    expression.code.push_back(step);
  }
  if (depth != 1) fail(ErrorCode::kConfig, where, ": expected one value at the end, found ", depth);
  if (expression.depth > kDeepest) fail(ErrorCode::kConfig, where, ": nested too deeply, ", expression.depth, " values at once, at most ", kDeepest);
  return expression;
}

HeadExpressions expressions_of(const HeadOptions& options) {
  const auto regulariser = options.choices.find("regulariser");
  return {parse_expression(choice(options, "own"), "head expression, own logit"),
          parse_expression(choice(options, "other"), "head expression, other logits"),
          parse_expression(regulariser == options.choices.end() ? "0" : regulariser->second, "head expression, regulariser")};
}

}  // namespace facex::heads
