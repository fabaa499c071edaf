// The instruction set that loops compiled for several of them run with.
#pragma once

namespace facex {

enum class Isa { kBase, kAvx2, kAvx512 };

// libtorch's own judgement, so that its ATEN_CPU_CAPABILITY holds for our loops too.
Isa isa();

}  // namespace facex

// FACEX_X86 says that the AVX variants were compiled.
#ifdef FACEX_X86
#define FACEX_CHOOSE(loops) \
  (::facex::isa() == ::facex::Isa::kAvx512 ? avx512::loops() : ::facex::isa() == ::facex::Isa::kAvx2 ? avx2::loops() : base::loops())
#else
#define FACEX_CHOOSE(loops) base::loops()
#endif
