// The table of heads.
#include "core/error.h"
#include "heads/definition.h"
#include "heads/fused/policies.h"
#include "heads/reference/forms.h"
#include "heads/reference/reference_head.h"

namespace facex::heads {

namespace {

const CentreSpec kUnitColumns{"weight", CentreShape::kColumns, CentreInit::kUnit};
const CentreSpec kUnitKernel{"kernel", CentreShape::kColumns, CentreInit::kUnit};
const CentreSpec kLinear{"weight", CentreShape::kRows, CentreInit::kFanIn};

const std::vector<Definition>& table() {
  static const std::vector<Definition> rows = {
      {"Softmax", kLinear, fused::softmax, reference::softmax},
      {"AM-Softmax", kUnitColumns, fused::am_softmax, reference::am_softmax},
      {"ArcFace", kUnitColumns, fused::arc_face, reference::arc_face},
  };
  return rows;
}

const Definition& find(const HeadOptions& options) {
  std::string known;
  for (const Definition& row : table()) {
    if (row.name == options.name) return row;
    known += (known.empty() ? "" : ", ") + row.name;
  }
  fail(ErrorCode::kConfig, "unknown head \"", options.name, "\". Known: ", known);
}

const Definition& checked(const HeadOptions& options) {
  const Definition& row = find(options);
  if (options.num_class < 1 || options.feat_dim < 1) {
    fail(ErrorCode::kConfig, "head ", options.name, ": expected num_class and feat_dim of at least 1, got ", options.num_class, " and ", options.feat_dim);
  }
  if (options.dtype != at::kFloat && options.dtype != at::kDouble) {
    fail(ErrorCode::kConfig, "head ", options.name, ": expected dtype float32 or float64, got ", options.dtype);
  }
  return row;
}

}  // namespace

std::unique_ptr<Head> make_head(const HeadOptions& options) {
  if (!options.device.is_cpu()) return make_reference_head(options);
  const Definition& definition = checked(options);
  return definition.fused(definition, options);
}

std::unique_ptr<Head> make_reference_head(const HeadOptions& options) {
  return std::make_unique<reference::ReferenceHead>(checked(options), options);
}

std::vector<std::string> head_names() {
  std::vector<std::string> names;
  for (const Definition& row : table()) names.push_back(row.name);
  return names;
}

}  // namespace facex::heads
