// ElasticFace's random margins: one for every row of a step, the same in both forms and after any resume.
#pragma once

#include <vector>

#include "core/random.h"
#include "heads/options.h"

namespace facex::heads {

// N(margin, std) for n rows, a function of the state entries `stream` and `step` alone; `adapt` moves `step` on.
inline std::vector<double> elastic_margins(State& state, const HeadOptions& options, int64_t n, bool adapt) {
  Entry& step = *state.find("step");
  const int64_t stream = state.find("stream")->value.item<int64_t>(), now = step.value.item<int64_t>();
  std::vector<double> margins;
  for (int64_t i = 0; i < n; ++i) {
    Random random(static_cast<uint64_t>(stream), static_cast<uint64_t>(now), static_cast<uint64_t>(i));
    margins.push_back(number(options, "margin") + number(options, "std") * random.normal());
  }
  if (adapt) {
    step.value.fill_(now + 1);
    ++step.version;
  }
  return margins;
}

}  // namespace facex::heads
