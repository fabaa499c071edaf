// Which devices this process can compute on, and why CUDA is not among them.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <string>
#include <vector>

namespace facex {

struct CudaDevice {
  std::string name;
  int major = 0, minor = 0;  // compute capability
  int64_t memory = 0;        // bytes
};

struct CudaStatus {
  bool libtorch = false;  // libtorch is a CUDA build
  bool built = false;     // ... and facex's kernels for it are loaded
  std::string kernels;    // file of facex's kernels, where it was found
  int driver = 0, runtime = 0;  // versions as CUDA numbers them: 13000 is 13.0; 0 where unknown
  std::vector<CudaDevice> devices;
  std::string problem, remedy;  // why CUDA cannot be used, and what to do; empty where it can

  bool usable() const { return problem.empty(); }
};

// Looks at the first call: opens facex_cuda.so when this libtorch is a CUDA build.
const CudaStatus& cuda_status();

// "cpu" or "cuda". ErrorCode::kSetup with problem and remedy for "cuda" where that cannot be used.
c10::Device device_named(const std::string& name);

// Whether matrix products and convolutions of float32 on CUDA may round their operands to TF32 (10 bits of mantissa).
void allow_tf32(bool allowed);

// Leaves NNPACK out: on processors that it does not know it warns at every small convolution, and libtorch's other kernels
// do the same work.
void choose_cpu_kernels();

// Waits until the device has done all that was asked of it; times are then worth something. Nothing on the CPU.
void synchronize(c10::Device device);

}  // namespace facex
