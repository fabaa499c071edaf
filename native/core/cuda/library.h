// What facex_cuda.so offers. The addon itself links nothing of CUDA, so that it loads with a CPU libtorch too; with a
// CUDA libtorch it opens this second shared object, which brings libtorch_cuda into the process, and calls it through
// tables of function pointers: one exported C function a table, named `facex_cuda_<table>`. Kernels know pointers and
// sizes only; tensors, memory and devices stay in the addon. So a .cu file needs next to nothing of libtorch's headers.
#pragma once

#include <string>

#include "core/device.h"

namespace facex::cuda {

// Table `facex_cuda_device`.
struct DeviceTable {
  const char* libtorch;  // version of libtorch that facex_cuda.so was built against
  // Fills driver, runtime and devices; returns what CUDA says is wrong, or "".
  std::string (*describe)(CudaStatus& status);
  // libtorch's current stream of the current device (a cudaStream_t): where kernels of ours are launched too.
  void* (*stream)();
  int (*multiprocessors)();  // of the current device
  int64_t (*peak_memory)();  // bytes that libtorch has held at once on the first device
};

// The table `name` of the loaded facex_cuda.so. ErrorCode::kSetup with the reason where CUDA is unusable.
const void* table(const char* name);

// Whether the loaded facex_cuda.so has it: what needs headers that were not there is left out of a build.
bool has_table(const char* name);

// The table `device`.
const DeviceTable& device();

template <typename Table>
const Table& table_as(const char* name) {
  return *static_cast<const Table*>(table(name));
}

}  // namespace facex::cuda
