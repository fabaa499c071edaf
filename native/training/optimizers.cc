#include "training/optimizers.h"

#include "core/error.h"

namespace facex::training {

namespace {

struct Row {
  const char* name;
  std::vector<const char*> values;  // options that must be given; lib/training/optimizers fills in the defaults
  std::unique_ptr<Optimizer> (*make)(const OptimizerOptions&, const Parts&);
};

const std::vector<Row>& table() {
  static const std::vector<Row> rows = {
      {"sgd", {"momentum", "nesterov"}, make_sgd},
      {"adamw", {"beta1", "beta2", "eps"}, make_adamw},
  };
  return rows;
}

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, const Parts& parts) {
  for (const Row& row : table()) {
    if (options.name != row.name) continue;
    for (const char* value : row.values) {
      if (!options.values.contains(value)) fail(ErrorCode::kConfig, "optimizer ", row.name, ": ", value, " is missing");
    }
    return row.make(options, parts);
  }
  fail(ErrorCode::kConfig, "unknown optimizer \"", options.name, "\". Known: sgd, adamw");
}

}  // namespace facex::training
