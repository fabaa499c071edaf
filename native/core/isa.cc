#include "core/isa.h"

#include <ATen/Version.h>

#include <string>

namespace facex {

Isa isa() {
  static const Isa found = [] {
    const std::string capability = at::get_cpu_capability();
    if (capability == "AVX512") return Isa::kAvx512;
    return capability == "AVX2" ? Isa::kAvx2 : Isa::kBase;
  }();
  return found;
}

}  // namespace facex
