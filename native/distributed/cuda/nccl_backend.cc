// libtorch's NCCL behind the table of facex_cuda.so. Its communicator is made by the first operation, which all ranks
// reach together, for the GPU of its tensors; all operations of a group run on one stream of their own.
#include <cstdlib>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include "distributed/cuda/nccl_table.h"

namespace facex::distributed::cuda {

namespace {

Backend make(const Store& store, const BackendOptions& options) {
  // After an error what waits on the GPU is broken off, and the operation says what happened; otherwise libtorch would end
  // the process before anybody could say who has failed.
  setenv("TORCH_NCCL_ASYNC_ERROR_HANDLING", "2", /*overwrite=*/0);
  auto nccl = c10d::ProcessGroupNCCL::Options::create();
  nccl->timeout = options.timeout;
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(c10::make_intrusive<c10d::PrefixStore>("nccl", store), options.rank, options.size, nccl);
}

}  // namespace

}  // namespace facex::distributed::cuda

extern "C" __attribute__((visibility("default"))) const void* facex_cuda_nccl() {
  static const facex::distributed::cuda::NcclTable table{facex::distributed::cuda::make};
  return &table;
}
