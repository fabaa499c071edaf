// Table `facex_cuda_nccl` of facex_cuda.so, which alone links libtorch's CUDA half; see core/cuda/library.h.
#pragma once

#include "distributed/backend.h"

namespace facex::distributed::cuda {

struct NcclTable {
  Backend (*make)(const Store& store, const BackendOptions& options);
};

}  // namespace facex::distributed::cuda
