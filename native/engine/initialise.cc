#include "engine/initialise.h"

#include <ATen/ops/tensor.h>

#include "core/random.h"

namespace facex::engine {

namespace {

// 64-bit FNV-1a: the stream of an entry is keyed by its name.
uint64_t hash(const std::string& text) {
  uint64_t value = 0xCBF29CE484222325ull;
  for (unsigned char byte : text) value = (value ^ byte) * 0x100000001B3ull;
  return value;
}

double draw(const Initializer& init, Random& random) {
  switch (init.kind) {
    case Initializer::Kind::kUniform: return random.uniform(init.low, init.high);
    case Initializer::Kind::kNormal: return init.mean + init.std * random.normal();
    case Initializer::Kind::kTruncatedNormal:
      for (;;) {  // by rejection: the bounds lie several deviations out in every published use
        const double value = init.std * random.normal();
        if (value >= init.low && value <= init.high) return value;
      }
    default: return init.value;
  }
}

}  // namespace

void initialise(Tensor& tensor, const StateEntry& entry, uint64_t seed) {
  const Initializer& init = entry.init;
  if (init.kind == Initializer::Kind::kConstant) {
    tensor.fill_(init.value);
    return;
  }
  std::vector<double> values = init.values;
  if (init.kind != Initializer::Kind::kValues) {
    Random random(seed, hash(entry.name));
    values.resize(static_cast<size_t>(tensor.numel()));
    for (double& value : values) value = draw(init, random);
  }
  tensor.copy_(at::tensor(values, at::kDouble).view(entry.shape));
}

}  // namespace facex::engine
