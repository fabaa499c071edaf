#include "core/device.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <torch/headeronly/version.h>

#include <filesystem>

#include "core/cuda/library.h"
#include "core/error.h"

namespace facex {

namespace {

namespace fs = std::filesystem;

constexpr const char* kKernels = "facex_cuda.so";
constexpr const char* kTorchCuda = "libtorch_cuda.so";

// Folder of the shared object that holds `symbol`.
fs::path folder_of(const void* symbol) {
  Dl_info found{};
  if (dladdr(symbol, &found) == 0 || found.dli_fname == nullptr) return {};
  return fs::path(found.dli_fname).parent_path();
}

struct Library {
  CudaStatus status;
  void* handle = nullptr;

  Library() {
    open();
    if (!status.built) return;
    const auto& device = *static_cast<const cuda::DeviceTable*>(find("device"));
    if (std::string(device.libtorch) != TORCH_VERSION) {
      status.built = false;
      refuse(std::string(kKernels) + " was built for libtorch " + device.libtorch + ", the addon for " TORCH_VERSION, "Run `npm run build` in the folder of facex");
      return;
    }
    const std::string problem = device.describe(status);
    if (!problem.empty()) explain(problem);
  }

  const void* find(const std::string& name) const {
    using Get = const void* (*)();
    const auto get = reinterpret_cast<Get>(dlsym(handle, ("facex_cuda_" + name).c_str()));
    return get == nullptr ? nullptr : get();
  }

 private:
  void open() {
    const fs::path torch = folder_of(reinterpret_cast<const void*>(&at::get_num_threads));
    status.libtorch = fs::exists(torch / kTorchCuda);
    if (!status.libtorch) {
      return refuse("this libtorch is a CPU build (" + torch.string() + ")", "Run `npx facex setup --cuda`, then `npm run build`, or install the prebuilt package for CUDA");
    }
    const fs::path kernels = folder_of(reinterpret_cast<const void*>(&cuda_status)) / kKernels;
    if (!fs::exists(kernels)) {
      return refuse("facex was built without its CUDA kernels (" + kernels.string() + " is missing)", "Install CUDA's nvcc and run `npm run build`, or use the prebuilt package");
    }
    status.kernels = kernels.string();
    // libtorch's CUDA half first, by its place: a prebuilt facex_cuda.so does not know where libtorch is on this machine.
    handle = dlopen((torch / kTorchCuda).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle != nullptr) handle = dlopen(kernels.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) return refuse(std::string("CUDA libraries do not load: ") + dlerror(), "Run `npx facex setup --cuda`");
    status.built = find("device") != nullptr;
    if (!status.built) refuse(kernels.string() + " is not of this facex", "Run `npm run build` in the folder of facex");
  }

  void explain(const std::string& problem) {
    const std::string driver = std::to_string(status.driver / 1000) + "." + std::to_string(status.driver % 1000 / 10);
    const std::string runtime = std::to_string(status.runtime / 1000) + "." + std::to_string(status.runtime % 1000 / 10);
    if (status.driver == 0) return refuse("CUDA built, no device: there is no NVIDIA driver", "Install the NVIDIA driver; `nvidia-smi` must list a GPU");
    if (status.driver / 1000 < status.runtime / 1000) {
      return refuse("driver too old: it supports CUDA " + driver + ", libtorch needs " + runtime, "Update the NVIDIA driver");
    }
    refuse("CUDA built, no device: " + problem, "`nvidia-smi` must list a GPU; CUDA_VISIBLE_DEVICES must not hide it");
  }

  void refuse(const std::string& problem, const std::string& remedy) {
    status.problem = problem;
    status.remedy = remedy;
  }
};

const Library& library() {
  static const Library* const found = new Library;  // never closed: libtorch's statics refer to it
  return *found;
}

}  // namespace

const CudaStatus& cuda_status() { return library().status; }

c10::Device device_named(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  if (name != "cuda") fail(ErrorCode::kConfig, "device: expected cpu or cuda, got ", name);
  const CudaStatus& status = cuda_status();
  if (!status.usable()) fail(ErrorCode::kSetup, "device cuda: ", status.problem, ". ", status.remedy, ".");
  return {at::kCUDA, 0};
}

void allow_tf32(bool allowed) {
  at::globalContext().setFloat32MatmulPrecision(allowed ? "high" : "highest");
  at::globalContext().setAllowTF32CuDNN(allowed);
}

void choose_cpu_kernels() { at::globalContext().setUserEnabledNNPACK(false); }

void synchronize(c10::Device device) {
  if (!device.is_cpu()) c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
}

namespace cuda {

const DeviceTable& device() {
  static const auto& found = table_as<DeviceTable>("device");
  return found;
}

bool has_table(const char* name) { return cuda_status().built && library().find(name) != nullptr; }

const void* table(const char* name) {
  if (!cuda_status().built) fail(ErrorCode::kSetup, "CUDA kernels: ", cuda_status().problem, ". ", cuda_status().remedy, ".");
  const void* found = library().find(name);
  if (found == nullptr) fail(ErrorCode::kSetup, cuda_status().kernels, " has no table ", name, ": it is of another facex. Run `npm run build`.");
  return found;
}

}  // namespace cuda

}  // namespace facex
