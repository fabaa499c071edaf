#include "engine/kernels/gate.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <vector>

#include "engine/kernels/loops/gate.h"
#include "engine/kernels/storage.h"

namespace facex::engine::kernels {

namespace {

// Rows that are summed in the loops' type before they go into a total of float64.
constexpr int64_t kPiece = 128;

// Values that are worth a thread of their own.
constexpr int64_t kGrain = 1 << 15;

}  // namespace

bool gate_takes(const Tensor& x, const Tensor& gate) {
  return has_storage(x) && x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast) && gate.scalar_type() == x.scalar_type() &&
         gate.is_contiguous(at::MemoryFormat::ChannelsLast) && gate.numel() == x.size(0) * x.size(1) && gate.size(0) == x.size(0);
}

Tensor gated(const Tensor& x, const Tensor& gate, bool in_place) {
  const Tensor y = in_place ? x : at::empty_like(x);
  const int64_t channels = x.size(1), area = x.size(2) * x.size(3);
  with_storage(x.scalar_type(), [&]<typename T>(T) {
    at::parallel_for(0, x.size(0) * area, std::max<int64_t>(1, kGrain / channels), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end;) {
        const int64_t image = row / area, count = std::min(end, (image + 1) * area) - row, at = row * channels;
        loops::gate_loops<T>().apply(in<T>(x) + at, in<T>(gate) + image * channels, out<T>(y) + at, count, channels);
        row += count;
      }
    });
  });
  return y;
}

GateGrads gated_backward(const Tensor& x, const Tensor& gate, const Tensor& grad, bool in_place) {
  const GateGrads grads{in_place ? grad : at::empty_like(x), at::empty_like(gate)};
  const int64_t channels = x.size(1), area = x.size(2) * x.size(3);
  with_storage(x.scalar_type(), [&]<typename T>(T) {
    at::parallel_for(0, x.size(0), 1, [&](int64_t begin, int64_t end) {
      std::vector<loops::Wide<T>> sums(static_cast<size_t>(channels));
      std::vector<double> totals(static_cast<size_t>(channels));
      for (int64_t image = begin; image < end; ++image) {
        std::fill(totals.begin(), totals.end(), 0);
        for (int64_t row = 0; row < area; row += kPiece) {
          const int64_t at = (image * area + row) * channels;
          std::fill(sums.begin(), sums.end(), loops::Wide<T>(0));
          loops::gate_loops<T>().derive(in<T>(x) + at, in<T>(gate) + image * channels, in<T>(grad) + at, out<T>(grads.x) + at, sums.data(),
                                        std::min(kPiece, area - row), channels);
          for (size_t c = 0; c < totals.size(); ++c) totals[c] += static_cast<double>(sums[c]);
        }
        for (size_t c = 0; c < totals.size(); ++c) loops::narrow(static_cast<loops::Wide<T>>(totals[c]), out<T>(grads.gate)[static_cast<size_t>(image * channels) + c]);
      }
    });
  });
  return grads;
}

}  // namespace facex::engine::kernels
