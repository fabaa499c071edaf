// Picks the loops for this machine.
#include "core/isa.h"
#include "engine/kernels/loops/isa.h"

namespace facex::engine::loops {

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
