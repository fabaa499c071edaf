// Picks the loops for this machine. FACEX_X86 says that the AVX variants were compiled.
#include <ATen/Version.h>

#include "engine/kernels/loops/isa.h"

namespace facex::engine::loops {

namespace {

enum class Isa { kBase, kAvx2, kAvx512 };

// libtorch's own judgement, so that its ATEN_CPU_CAPABILITY holds for our loops too.
Isa detect() {
  const std::string capability = at::get_cpu_capability();
  if (capability == "AVX512") return Isa::kAvx512;
  return capability == "AVX2" ? Isa::kAvx2 : Isa::kBase;
}

Isa isa() {
  static const Isa found = detect();
  return found;
}

}  // namespace

#ifdef FACEX_X86
#define FACEX_CHOOSE(loops) isa() == Isa::kAvx512 ? avx512::loops() : isa() == Isa::kAvx2 ? avx2::loops() : base::loops()
#else
#define FACEX_CHOOSE(loops) base::loops()
#endif

template <>
const AffineActLoops<float>& affine_act_loops() {
  return FACEX_CHOOSE(affine_act_float);
}
template <>
const AffineActLoops<double>& affine_act_loops() {
  return FACEX_CHOOSE(affine_act_double);
}
template <>
const AffineActLoops<Bf16>& affine_act_loops() {
  return FACEX_CHOOSE(affine_act_bf16);
}
template <>
const DepthwiseLoops<float>& depthwise_loops() {
  return FACEX_CHOOSE(depthwise_float);
}
template <>
const DepthwiseLoops<double>& depthwise_loops() {
  return FACEX_CHOOSE(depthwise_double);
}
template <>
const DepthwiseLoops<Bf16>& depthwise_loops() {
  return FACEX_CHOOSE(depthwise_bf16);
}
template <>
const GateLoops<float>& gate_loops() {
  return FACEX_CHOOSE(gate_float);
}
template <>
const GateLoops<double>& gate_loops() {
  return FACEX_CHOOSE(gate_double);
}
template <>
const GateLoops<Bf16>& gate_loops() {
  return FACEX_CHOOSE(gate_bf16);
}

}  // namespace facex::engine::loops
