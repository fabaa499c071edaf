// Every loops/*.cc is compiled once for each instruction set, with FACEX_ISA naming it; kernels/choose.cc picks one.
#pragma once

#include "engine/kernels/loops/affine_act.h"
#include "engine/kernels/loops/depthwise.h"
#include "engine/kernels/loops/gate.h"

namespace facex::engine::loops {

#define FACEX_DECLARE_LOOPS(isa)                     \
  namespace isa {                                    \
  const AffineActLoops<float>& affine_act_float();   \
  const AffineActLoops<double>& affine_act_double(); \
  const AffineActLoops<Bf16>& affine_act_bf16();     \
  const DepthwiseLoops<float>& depthwise_float();    \
  const DepthwiseLoops<double>& depthwise_double();  \
  const DepthwiseLoops<Bf16>& depthwise_bf16();      \
  const GateLoops<float>& gate_float();              \
  const GateLoops<double>& gate_double();            \
  const GateLoops<Bf16>& gate_bf16();                \
  }

FACEX_DECLARE_LOOPS(base)
FACEX_DECLARE_LOOPS(avx2)
FACEX_DECLARE_LOOPS(avx512)

#undef FACEX_DECLARE_LOOPS

}  // namespace facex::engine::loops
