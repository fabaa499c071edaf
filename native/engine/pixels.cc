#include "engine/pixels.h"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <array>

#include "engine/kernels/cuda/batch_norm.h"

namespace facex::engine {

Tensor normalise_pixels(const Tensor& pixels, const NetworkOptions& options) {
  const Tensor bytes = pixels.contiguous(at::MemoryFormat::ChannelsLast);
  const Tensor values = at::empty(bytes.sizes(), bytes.options().dtype(options.compute), at::MemoryFormat::ChannelsLast);
  if (bytes.is_cuda()) {
    kernels::cuda::normalise_pixels(bytes, values, options.pixel_mean, options.pixel_scale);
    return values;
  }
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kBFloat16, at::kHalf, options.compute, "normalise_pixels", [&] {
    // A byte has 256 values: each is normalised once, in double precision.
    std::array<scalar_t, 256> table;
    for (size_t byte = 0; byte < table.size(); ++byte) {
      table[byte] = static_cast<scalar_t>((static_cast<double>(byte) - options.pixel_mean) * options.pixel_scale);
    }
    const uint8_t* from = bytes.const_data_ptr<uint8_t>();
    scalar_t* to = values.mutable_data_ptr<scalar_t>();
    at::parallel_for(0, bytes.numel(), 1 << 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) to[i] = table[from[i]];
    });
  });
  return values;
}

}  // namespace facex::engine
