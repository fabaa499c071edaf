// Marks functions that the CPU's loops and the CUDA kernels share, so that a formula exists once.
#pragma once

#ifdef __CUDACC__
#define FACEX_BOTH __host__ __device__
#else
#define FACEX_BOTH
#endif
