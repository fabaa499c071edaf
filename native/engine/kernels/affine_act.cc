#include "engine/kernels/affine_act.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "engine/kernels/storage.h"

namespace facex::engine::kernels {

namespace {

using loops::Wide;

// Elements that are worth a thread of their own.
constexpr int64_t kGrain = 1 << 15;

struct Extent {
  explicit Extent(const Tensor& x) : channels(x.size(1)), rows(channels == 0 ? 0 : x.numel() / channels) {}
  int64_t grain() const { return std::max<int64_t>(1, kGrain / std::max<int64_t>(1, channels)); }

  int64_t channels, rows;
};

// Rows are summed in pieces of a size that follows from their number alone, and the pieces in order: sums then come out
// the same for any number of threads, and float32 accumulators stay short.
struct Pieces {
  explicit Pieces(const Extent& extent) : rows(extent.rows), size(std::clamp<int64_t>(rows / 64, 32, 512)), count((rows + size - 1) / size) {}
  int64_t begin(int64_t piece) const { return piece * size; }
  int64_t end(int64_t piece) const { return std::min(rows, (piece + 1) * size); }
  int64_t length(int64_t piece) const { return end(piece) - begin(piece); }

  int64_t rows, size, count;
};

template <typename T>
loops::AffineAct<T> bind(const Tensor& x, const Tensor& residual, const Affine& affine) {
  using W = Wide<T>;
  const Extent extent(x);
  return {extent.rows,           extent.channels,       in<T>(x), in<T>(residual), in<W>(affine.mean), in<W>(affine.scale),
          in<W>(affine.shift), in<W>(affine.slope)};
}

// Merges the moments of pieces in order (Chan, Golub, LeVeque: "Updating formulae and a pairwise algorithm for computing
// sample variances", 1979).
template <typename W>
void merge(const Pieces& pieces, int64_t channels, const W* partial, W* mean, W* variance) {
  at::parallel_for(0, channels, std::max<int64_t>(1, kGrain / pieces.count), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      double count = 0, centre = 0, squares = 0;
      for (int64_t piece = 0; piece < pieces.count; ++piece) {
        const W* at = partial + piece * 3 * channels + c;
        const double length = static_cast<double>(pieces.length(piece));
        const double gap = static_cast<double>(at[0]) - centre;
        const double total = count + length;
        squares += static_cast<double>(at[channels]) + gap * gap * count * length / total;
        centre += gap * length / total;
        count = total;
      }
      mean[c] = static_cast<W>(centre);
      variance[c] = static_cast<W>(squares / count);
    }
  });
}

template <typename W>
void add_up(const Pieces& pieces, int64_t count, const W* partial, W* sums) {
  at::parallel_for(0, count, std::max<int64_t>(1, kGrain / pieces.count), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      double sum = 0;
      for (int64_t piece = 0; piece < pieces.count; ++piece) sum += static_cast<double>(partial[piece * count + i]);
      sums[i] = static_cast<W>(sum);
    }
  });
}

}  // namespace

bool affine_act_takes(const Tensor& x) {
  return has_storage(x) && (x.dim() == 2 ? x.is_contiguous() : x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast));
}

ChannelMoments channel_moments(const Tensor& x) {
  return with_storage(x.scalar_type(), [&]<typename T>(T) {
    using W = Wide<T>;
    const Extent extent(x);
    const Pieces pieces(extent);
    const auto options = x.options().dtype(wide_type(x.scalar_type())).memory_format(at::MemoryFormat::Contiguous);
    const Tensor partial = at::empty({pieces.count, 3, extent.channels}, options);
    W* memory = out<W>(partial);
    const auto& loops = loops::affine_act_loops<T>();
    at::parallel_for(0, pieces.count, std::max<int64_t>(1, extent.grain() / pieces.size), [&](int64_t begin, int64_t end) {
      for (int64_t piece = begin; piece < end; ++piece) {
        W* at = memory + piece * 3 * extent.channels;
        loops.moments(in<T>(x), extent.channels, pieces.begin(piece), pieces.end(piece), at, at + extent.channels, at + 2 * extent.channels);
      }
    });
    ChannelMoments moments{at::empty({extent.channels}, options), at::empty({extent.channels}, options)};
    merge<W>(pieces, extent.channels, memory, out<W>(moments.mean), out<W>(moments.variance));
    return moments;
  });
}

Tensor affine_act(const Tensor& x, const Tensor& residual, const Affine& affine) {
  Tensor y = at::empty_like(x);
  with_storage(x.scalar_type(), [&]<typename T>(T) {
    const Extent extent(x);
    const auto op = bind<T>(x, residual, affine);
    const auto apply = loops::affine_act_loops<T>().apply[static_cast<int>(affine.activation)];
    at::parallel_for(0, extent.rows, extent.grain(), [&](int64_t begin, int64_t end) { apply(op, out<T>(y), begin, end); });
  });
  return y;
}

AffineActSums affine_act_sums(const Tensor& x, const Tensor& residual, const Affine& affine, const Tensor& grad) {
  return with_storage(x.scalar_type(), [&]<typename T>(T) {
    using W = Wide<T>;
    const Extent extent(x);
    const Pieces pieces(extent);
    const auto options = x.options().dtype(wide_type(x.scalar_type())).memory_format(at::MemoryFormat::Contiguous);
    const Tensor partial = at::zeros({pieces.count, 3, extent.channels}, options);
    const auto op = bind<T>(x, residual, affine);
    const auto reduce = loops::affine_act_loops<T>().reduce[static_cast<int>(affine.activation)];
    at::parallel_for(0, pieces.count, std::max<int64_t>(1, extent.grain() / pieces.size), [&](int64_t begin, int64_t end) {
      for (int64_t piece = begin; piece < end; ++piece) {
        W* at = out<W>(partial) + piece * 3 * extent.channels;
        reduce(op, in<T>(grad), pieces.begin(piece), pieces.end(piece), at, at + extent.channels, at + 2 * extent.channels);
      }
    });
    const Tensor sums = at::empty({3, extent.channels}, options);
    add_up<W>(pieces, 3 * extent.channels, out<W>(partial), out<W>(sums));
    return AffineActSums{sums[0], sums[1], affine.slope.defined() ? sums[2] : Tensor()};
  });
}

Tensor affine_act_backward(const Tensor& x, const Tensor& residual, const Affine& affine, const Tensor& grad,
                           const Tensor& constant, const Tensor& linear, bool in_place, Tensor* residual_grad) {
  const Tensor x_grad = in_place ? grad : at::empty_like(x);
  if (residual_grad != nullptr) *residual_grad = at::empty_like(x);
  with_storage(x.scalar_type(), [&]<typename T>(T) {
    using W = Wide<T>;
    const Extent extent(x);
    const auto op = bind<T>(x, residual, affine);
    const loops::AffineActGrad<T> back{in<T>(grad), in<W>(constant), in<W>(linear), out<T>(x_grad),
                                       residual_grad == nullptr ? nullptr : out<T>(*residual_grad)};
    const auto derive = loops::affine_act_loops<T>().derive[static_cast<int>(affine.activation)];
    at::parallel_for(0, extent.rows, extent.grain(), [&](int64_t begin, int64_t end) { derive(op, back, begin, end); });
  });
  return x_grad;
}

}  // namespace facex::engine::kernels
