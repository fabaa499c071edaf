#include "engine/kernels/channels.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>

namespace facex::engine::kernels {

namespace {

// Values that are worth a thread of their own.
constexpr int64_t kGrain = 1 << 14;

struct Piece {
  const char* from;
  size_t pitch, bytes;  // from pixel to pixel, and of a pixel's channels
};

}  // namespace

bool is_channel_slice(const Tensor& x) {
  if (!x.is_cpu() || x.dim() != 4 || x.numel() == 0 || x.size(1) == 1) return false;
  const int64_t pixel = x.stride(3), line = x.size(3) * pixel;
  return x.stride(1) == 1 && pixel >= x.size(1) && (x.size(2) == 1 || x.stride(2) == line) && (x.size(0) == 1 || x.stride(0) == x.size(2) * line);
}

Tensor packed_channels(const Tensor& slice) { return joined_channels({slice}); }

Tensor joined_channels(const std::vector<Tensor>& slices) {
  const Tensor& first = slices[0];
  std::vector<Piece> pieces;
  int64_t channels = 0;
  for (const Tensor& slice : slices) {
    const size_t element = slice.element_size();
    pieces.push_back({static_cast<const char*>(slice.const_data_ptr()), static_cast<size_t>(slice.stride(3)) * element, static_cast<size_t>(slice.size(1)) * element});
    channels += slice.size(1);
  }
  const Tensor joined = at::empty({first.size(0), channels, first.size(2), first.size(3)}, first.options().memory_format(at::MemoryFormat::ChannelsLast));
  char* to = static_cast<char*>(joined.mutable_data_ptr());
  const size_t pitch = static_cast<size_t>(channels) * first.element_size();
  const int64_t pixels = first.size(0) * first.size(2) * first.size(3);
  at::parallel_for(0, pixels, std::max<int64_t>(1, kGrain / channels), [&](int64_t begin, int64_t end) {
    for (auto pixel = static_cast<size_t>(begin); pixel < static_cast<size_t>(end); ++pixel) {
      char* at = to + pixel * pitch;
      for (const Piece& piece : pieces) {
        std::memcpy(at, piece.from + pixel * piece.pitch, piece.bytes);
        at += piece.bytes;
      }
    }
  });
  return joined;
}

}  // namespace facex::engine::kernels
