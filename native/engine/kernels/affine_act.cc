#include "engine/kernels/affine_act.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <numeric>

#include "engine/kernels/storage.h"

namespace facex::engine::kernels {

namespace {

using loops::Wide;

// Elements that are worth a thread of their own.
constexpr int64_t kGrain = 1 << 15;

// Neighbouring rows that the loops take for one wide row, their coefficients repeated: a loop over few channels, or over
// a number of them that is no multiple of a vector, spends its time on the rest at its end.
int64_t rows_joined(int64_t channels, int64_t rows) {
  constexpr int64_t kVector = 32;  // bfloat16 values in the widest register
  constexpr int64_t kEnough = 256, kMost = 2048;
  int64_t join = kVector / std::gcd(channels, kVector);
  while (join * channels < kEnough) join *= 2;
  while (join > 1 && join * channels > kMost) join /= 2;
  return join * 8 <= rows ? join : 1;
}

struct Extent {
  explicit Extent(const Tensor& x)
      : channels(x.size(1)), rows(x.numel() / channels), joined(rows_joined(channels, rows)), width(joined * channels), wide_rows(rows / joined) {}
  // Wide rows that are worth a thread.
  int64_t grain() const { return std::max<int64_t>(1, kGrain / width); }
  // First of the rows that are left when no more can be joined.
  int64_t rest() const { return wide_rows * joined; }

  int64_t channels, rows;
  int64_t joined, width, wide_rows;
};

// Rows are summed in pieces of a size that follows from the shape alone, and the pieces in order: sums then come out the
// same for any number of threads, and float32 accumulators stay short. Every channel of a wide row has a sum for each of
// the rows that it joins; rows that are left make one piece more.
class Pieces {
 public:
  explicit Pieces(const Extent& extent)
      : extent_(extent),
        size_(std::clamp<int64_t>(extent.wide_rows / 64, std::clamp<int64_t>(8192 / extent.width, 8, 32), 512)),
        whole_((extent.wide_rows + size_ - 1) / size_),
        count_(whole_ + (extent.rest() < extent.rows ? 1 : 0)) {}

  int64_t count() const { return count_; }
  // Rows in the sum number `group` of a channel in a piece.
  int64_t length(int64_t piece, int64_t group) const {
    if (piece == whole_) return group == 0 ? extent_.rows - extent_.rest() : 0;
    return std::min(extent_.wide_rows, (piece + 1) * size_) - piece * size_;
  }

  // body(piece, channels, first row, row past the last): of a wide row, or of a plain one in the piece of the rest.
  template <typename Body>
  void each(Body body) const {
    at::parallel_for(0, count_, std::max<int64_t>(1, extent_.grain() / size_), [&](int64_t begin, int64_t end) {
      for (int64_t piece = begin; piece < end; ++piece) {
        if (piece == whole_) {
          body(piece, extent_.channels, extent_.rest(), extent_.rows);
        } else {
          body(piece, extent_.width, piece * size_, piece * size_ + length(piece, 0));
        }
      }
    });
  }

 private:
  const Extent& extent_;
  int64_t size_, whole_, count_;
};

// The operation on wide rows, and on plain ones for the rest. Keeps the repeated coefficients alive.
template <typename T>
class Bound {
 public:
  using W = Wide<T>;
  Bound(const Extent& extent, const Tensor& x, const Tensor& residual, const Affine& affine)
      : mean_(repeat(extent, affine.mean)), scale_(repeat(extent, affine.scale)), shift_(repeat(extent, affine.shift)), slope_(repeat(extent, affine.slope)),
        wide_{extent.wide_rows, extent.width, in<T>(x), in<T>(residual), in<W>(mean_), in<W>(scale_), in<W>(shift_), in<W>(slope_)},
        plain_(wide_) {
    plain_.rows = extent.rows;
    plain_.channels = extent.channels;
  }

  // For rows of so many channels: the first of the repeated coefficients serve plain rows.
  const loops::AffineAct<T>& with(int64_t channels) const { return channels == wide_.channels ? wide_ : plain_; }

  static Tensor repeat(const Extent& extent, const Tensor& coefficients) {
    return extent.joined == 1 || !coefficients.defined() ? coefficients : coefficients.repeat({extent.joined});
  }

 private:
  Tensor mean_, scale_, shift_, slope_;
  loops::AffineAct<T> wide_, plain_;
};

// body(channels, first row, row past the last) over wide rows from several threads, then over the rest.
template <typename Body>
void for_rows(const Extent& extent, Body body) {
  at::parallel_for(0, extent.wide_rows, extent.grain(), [&](int64_t begin, int64_t end) { body(extent.width, begin, end); });
  if (extent.rest() < extent.rows) body(extent.channels, extent.rest(), extent.rows);
}

// Merges the moments of pieces in order (Chan, Golub, LeVeque: "Updating formulae and a pairwise algorithm for computing
// sample variances", 1979).
template <typename W>
void merge(const Pieces& pieces, const Extent& extent, const W* partial, W* mean, W* variance) {
  at::parallel_for(0, extent.channels, std::max<int64_t>(1, kGrain / (pieces.count() * extent.joined)), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      double count = 0, centre = 0, squares = 0;
      for (int64_t sum = 0; sum < pieces.count() * extent.joined; ++sum) {
        const int64_t piece = sum / extent.joined, group = sum % extent.joined;
        const double length = static_cast<double>(pieces.length(piece, group));
        if (length == 0) continue;
        const W* at = partial + piece * 3 * extent.width + group * extent.channels + c;
        const double gap = static_cast<double>(at[0]) - centre;
        const double total = count + length;
        squares += static_cast<double>(at[extent.width]) + gap * gap * count * length / total;
        centre += gap * length / total;
        count = total;
      }
      mean[c] = static_cast<W>(centre);
      variance[c] = static_cast<W>(squares / count);
    }
  });
}

// sums [3, C] of partial [pieces, 3, rows joined, C].
template <typename W>
void add_up(const Pieces& pieces, const Extent& extent, const W* partial, W* sums) {
  at::parallel_for(0, 3 * extent.channels, std::max<int64_t>(1, kGrain / (pieces.count() * extent.joined)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const W* at = partial + i / extent.channels * extent.width + i % extent.channels;
      double sum = 0;
      for (int64_t piece = 0; piece < pieces.count(); ++piece) {
        for (int64_t group = 0; group < extent.joined; ++group) sum += static_cast<double>(at[piece * 3 * extent.width + group * extent.channels]);
      }
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
    const Tensor partial = at::empty({pieces.count(), 3, extent.width}, options);
    const auto& loops = loops::affine_act_loops<T>();
    pieces.each([&](int64_t piece, int64_t channels, int64_t begin, int64_t end) {
      W* at = out<W>(partial) + piece * 3 * extent.width;
      loops.moments(in<T>(x), channels, begin, end, at, at + extent.width, at + 2 * extent.width);
    });
    ChannelMoments moments{at::empty({extent.channels}, options), at::empty({extent.channels}, options)};
    merge<W>(pieces, extent, out<W>(partial), out<W>(moments.mean), out<W>(moments.variance));
    return moments;
  });
}

Tensor affine_act(const Tensor& x, const Tensor& residual, const Affine& affine, bool in_place) {
  const Tensor y = in_place ? x : at::empty_like(x);
  with_storage(x.scalar_type(), [&]<typename T>(T) {
    const Extent extent(x);
    const Bound<T> op(extent, x, residual, affine);
    const auto apply = loops::affine_act_loops<T>().apply[static_cast<int>(affine.activation)];
    for_rows(extent, [&](int64_t channels, int64_t begin, int64_t end) { apply(op.with(channels), out<T>(y), begin, end); });
  });
  return y;
}

AffineActSums affine_act_sums(const Tensor& x, const Tensor& residual, const Affine& affine, const Tensor& grad) {
  return with_storage(x.scalar_type(), [&]<typename T>(T) {
    using W = Wide<T>;
    const Extent extent(x);
    const Pieces pieces(extent);
    const auto options = x.options().dtype(wide_type(x.scalar_type())).memory_format(at::MemoryFormat::Contiguous);
    const Tensor partial = at::zeros({pieces.count(), 3, extent.width}, options);
    const Bound<T> op(extent, x, residual, affine);
    const auto reduce = loops::affine_act_loops<T>().reduce[static_cast<int>(affine.activation)];
    pieces.each([&](int64_t piece, int64_t channels, int64_t begin, int64_t end) {
      W* at = out<W>(partial) + piece * 3 * extent.width;
      reduce(op.with(channels), in<T>(grad), begin, end, at, at + extent.width, at + 2 * extent.width);
    });
    const Tensor sums = at::empty({3, extent.channels}, options);
    add_up<W>(pieces, extent, out<W>(partial), out<W>(sums));
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
    const Bound<T> op(extent, x, residual, affine);
    const Tensor constants = Bound<T>::repeat(extent, constant), linears = Bound<T>::repeat(extent, linear);
    const loops::AffineActGrad<T> back{in<T>(grad), in<W>(constants), in<W>(linears), out<T>(x_grad),
                                       residual_grad == nullptr ? nullptr : out<T>(*residual_grad)};
    const auto derive = loops::affine_act_loops<T>().derive[static_cast<int>(affine.activation)];
    for_rows(extent, [&](int64_t channels, int64_t begin, int64_t end) { derive(op.with(channels), back, begin, end); });
  });
  return x_grad;
}

}  // namespace facex::engine::kernels
