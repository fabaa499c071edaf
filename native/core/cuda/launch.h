// How kernels are launched: one function, so that the same sources also run on the stand-in of the runtime in
// native/emulated/.
#pragma once

#include <cuda_runtime.h>

#ifdef __CUDACC__
namespace facex::cuda {

template <typename... Parameters, typename... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, cudaStream_t stream, Arguments... arguments) {
  kernel<<<grid, block, 0, stream>>>(arguments...);
}

}  // namespace facex::cuda
#endif

namespace facex::cuda {

// CUDA's words for what is wrong with the launches before, or null.
inline const char* launch_problem() {
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace facex::cuda
