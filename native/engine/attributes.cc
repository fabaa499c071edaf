#include "core/error.h"
#include "engine/op.h"

namespace facex::engine {

namespace {

template <typename Wanted>
const Wanted& expect(const Attribute& attribute, const Node& node, const std::string& name, const char* kind) {
  if (const Wanted* value = std::get_if<Wanted>(&attribute)) return *value;
  fail(ErrorCode::kGraph, node.path, " (node ", node.id, " ", node.op, "): expected ", kind, " as attribute ", name);
}

}  // namespace

const Attribute& Attributes::find(const std::string& name) const {
  const auto found = node_.attrs.find(name);
  if (found != node_.attrs.end()) return found->second;
  fail(ErrorCode::kGraph, node_.path, " (node ", node_.id, " ", node_.op, "): attribute ", name, " is missing");
}

double Attributes::number(const std::string& name) const { return expect<double>(find(name), node_, name, "a number"); }
bool Attributes::flag(const std::string& name) const { return expect<bool>(find(name), node_, name, "true or false"); }
std::string Attributes::text(const std::string& name) const { return expect<std::string>(find(name), node_, name, "a text"); }

std::vector<int64_t> Attributes::integers(const std::string& name) const {
  const auto& values = expect<std::vector<double>>(find(name), node_, name, "a list of numbers");
  return {values.begin(), values.end()};
}

}  // namespace facex::engine
