#include "core/cuda/library.h"
#include "distributed/cuda/nccl_table.h"

namespace facex::distributed {

Backend make_nccl(const Store& store, const BackendOptions& options) {
  return facex::cuda::table_as<cuda::NcclTable>("nccl").make(store, options);
}

}  // namespace facex::distributed
