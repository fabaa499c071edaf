#include "engine/kernels/depthwise.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <vector>

#include "engine/kernels/loops/depthwise.h"
#include "engine/kernels/storage.h"

namespace facex::engine::kernels {

namespace {

using loops::DepthwiseTile;
using loops::kDepthwiseTile;
using loops::Wide;

// Values that are worth a thread of their own.
constexpr int64_t kGrain = 1 << 13;

struct Image {
  explicit Image(at::IntArrayRef sizes) : count(sizes[0]), channels(sizes[1]), height(sizes[2]), width(sizes[3]) {}
  int64_t count, channels, height, width;
};

// Which pixels meet: result pixel (first + step * u, ...) reads the pixels offset + stride * u + tap of the source.
struct Line {
  int64_t taps, offset;
  int64_t first, count;
};
struct Meeting {
  Line rows, columns;
  int64_t stride, step;
};

template <typename T>
class Source {
 public:
  Source(const Tensor& tensor) : image_(tensor.sizes()), data_(in<T>(tensor)), zeros_(static_cast<size_t>(image_.channels)) {}

  // Addresses of what the tile at result row `u` and columns from `v` reads.
  void point(DepthwiseTile<T>& tile, const Meeting& meeting, int64_t image, int64_t u, int64_t v) const {
    tile.channels = image_.channels;
    const int64_t columns = (kDepthwiseTile - 1) * meeting.stride + meeting.columns.taps;
    const int64_t left = meeting.columns.offset + v * meeting.stride;
    for (int64_t tap = 0; tap < meeting.rows.taps; ++tap) {
      const int64_t row = meeting.rows.offset + u * meeting.stride + tap;
      const T* start = row < 0 || row >= image_.height ? nullptr : data_ + (image * image_.height + row) * image_.width * image_.channels;
      for (int64_t column = 0; column < columns; ++column) {
        const int64_t x = left + column;
        tile.pixels[tap][column] = start == nullptr || x < 0 || x >= image_.width ? zeros_.data() : start + x * image_.channels;
      }
    }
  }
  const T* zeros() const { return zeros_.data(); }

 private:
  Image image_;
  const T* data_;
  std::vector<T> zeros_;
};

// Weights [taps][C] of [C, 1, k, k] on the way back: taps run the other way round, and only every stride-th from the first
// on meets a pixel.
struct Backwards {
  int64_t row, column, stride;
};
template <typename W>
std::vector<W> backwards(const Tensor& weight, const Meeting& meeting, const Backwards& first) {
  const int64_t channels = weight.size(0), kernel = weight.size(3), rows = meeting.rows.taps, columns = meeting.columns.taps;
  const W* from = in<W>(weight);
  std::vector<W> result(static_cast<size_t>(rows * columns * channels));
  for (int64_t i = 0; i < rows * columns; ++i) {
    const int64_t row = first.row + first.stride * (rows - 1 - i / columns);
    const int64_t column = first.column + first.stride * (columns - 1 - i % columns);
    for (int64_t c = 0; c < channels; ++c) result[static_cast<size_t>(i * channels + c)] = from[(c * kernel + row) * kernel + column];
  }
  return result;
}

// `line_done(first pixel)` is told of each line of the result that is written.
template <typename T, typename LineDone>
void correlate(const Meeting& meeting, const Tensor& from, const Tensor& to, const Wide<T>* weights, LineDone line_done) {
  const Source<T> source(from);
  const Image result(to.sizes());
  const auto loop = loops::depthwise_loops<T>().correlate(meeting.rows.taps, meeting.columns.taps, meeting.stride);
  const int64_t width = meeting.columns.count;
  const int64_t grain = std::max<int64_t>(1, kGrain / std::max<int64_t>(1, width * result.channels));
  at::parallel_for(0, result.count * meeting.rows.count, grain, [&](int64_t begin, int64_t end) {
    std::vector<T> unread(static_cast<size_t>(result.channels));
    DepthwiseTile<T> tile;
    for (int64_t line = begin; line < end; ++line) {
      const int64_t image = line / meeting.rows.count, u = line % meeting.rows.count;
      T* row = out<T>(to) + (image * result.height + meeting.rows.first + u * meeting.step) * result.width * result.channels;
      for (int64_t v = 0; v < width; v += kDepthwiseTile) {
        source.point(tile, meeting, image, u, v);
        for (int64_t j = 0; j < kDepthwiseTile; ++j) {
          tile.results[j] = v + j < width ? row + (meeting.columns.first + (v + j) * meeting.step) * result.channels : unread.data();
        }
        loop(tile, weights);
      }
      line_done((image * result.height + meeting.rows.first + u * meeting.step) * result.width);
    }
  });
}

// The pixels of one line whose distance to the kernel's start is `residue` modulo the stride, and the outputs they meet.
Line way_back(int64_t extent, int64_t padding, int64_t kernel, int64_t stride, int64_t residue) {
  const int64_t taps = (kernel - residue + stride - 1) / stride;
  const int64_t first = ((residue - padding) % stride + stride) % stride;
  return {.taps = taps, .offset = (first + padding - residue) / stride - (taps - 1), .first = first, .count = first < extent ? (extent - first + stride - 1) / stride : 0};
}

Meeting way_there(const Depthwise& op, const Image& result) {
  return {.rows = {op.kernel, -op.padding_height, 0, result.height}, .columns = {op.kernel, -op.padding_width, 0, result.width}, .stride = op.stride, .step = 1};
}

Tensor wide_weight(const Tensor& weight, at::ScalarType type) { return weight.to(wide_type(type)).contiguous(); }

}  // namespace

bool Depthwise::takes(const Tensor& x, const Tensor& weight, at::IntArrayRef stride, at::IntArrayRef dilation) {
  const int64_t kernel = weight.size(2);
  return has_storage(x) && x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast) && weight.size(0) == x.size(1) && weight.size(1) == 1 &&
         (kernel == 3 || kernel == 5) && weight.size(3) == kernel && (stride[0] == 1 || stride[0] == 2) && stride[0] == stride[1] && dilation[0] == 1 && dilation[1] == 1;
}

Tensor Depthwise::taps(const Tensor& weight, at::ScalarType type) { return wide_weight(weight, type).view({weight.size(0), -1}).t().contiguous(); }

Tensor Depthwise::forward(const Tensor& x, const Tensor& taps, const Affine* after, const Tensor& residual) const {
  const auto extent = [&](int64_t size, int64_t padding) { return (size + 2 * padding - kernel) / stride + 1; };
  const Tensor y = at::empty({x.size(0), x.size(1), extent(x.size(2), padding_height), extent(x.size(3), padding_width)}, x.options().memory_format(at::MemoryFormat::ChannelsLast));
  const Meeting meeting = way_there(*this, Image(y.sizes()));
  with_storage(x.scalar_type(), [&]<typename T>(T) {
    using W = Wide<T>;
    if (after == nullptr) return correlate<T>(meeting, x, y, in<W>(taps), [](int64_t) {});
    const int64_t channels = y.size(1), width = y.size(3);
    const loops::AffineAct<T> op{y.numel() / channels, channels, in<T>(y), in<T>(residual), in<W>(after->mean), in<W>(after->scale), in<W>(after->shift), in<W>(after->slope)};
    const auto apply = loops::affine_act_loops<T>().apply[static_cast<int>(after->activation)];
    correlate<T>(meeting, x, y, in<W>(taps), [&](int64_t pixel) { apply(op, out<T>(y), pixel, pixel + width); });
  });
  return y;
}

Tensor Depthwise::input_grad(const Tensor& grad, const Tensor& weight, at::IntArrayRef sizes) const {
  const Tensor result = at::empty(sizes, grad.options().memory_format(at::MemoryFormat::ChannelsLast));
  const Tensor wide = wide_weight(weight, grad.scalar_type());
  for (int64_t row = 0; row < stride; ++row) {
    for (int64_t column = 0; column < stride; ++column) {
      const Meeting meeting{.rows = way_back(sizes[2], padding_height, kernel, stride, row),
                            .columns = way_back(sizes[3], padding_width, kernel, stride, column),
                            .stride = 1,
                            .step = stride};
      const Backwards first{row, column, stride};
      with_storage(grad.scalar_type(), [&]<typename T>(T) {
        correlate<T>(meeting, grad, result, backwards<Wide<T>>(wide, meeting, first).data(), [](int64_t) {});
      });
    }
  }
  return result;
}

// Sums go through pieces of rows whose number follows from the shape alone, and the pieces in order.
Tensor Depthwise::weight_grad(const Tensor& grad, const Tensor& x) const {
  return with_storage(x.scalar_type(), [&]<typename T>(T) {
    using W = Wide<T>;
    const Image image(grad.sizes());
    const Meeting meeting = way_there(*this, image);
    const int64_t lines = image.count * image.height, pieces = std::min<int64_t>(lines, 64), taps = kernel * kernel;
    const auto options = x.options().dtype(wide_type(x.scalar_type())).memory_format(at::MemoryFormat::Contiguous);
    const Tensor partial = at::zeros({pieces, taps, image.channels}, options);
    const Source<T> source(x);
    const auto loop = loops::depthwise_loops<T>().gather(kernel, kernel, stride);
    at::parallel_for(0, pieces, 1, [&](int64_t begin, int64_t end) {
      DepthwiseTile<T> tile;
      const T* grads[kDepthwiseTile];
      for (int64_t piece = begin; piece < end; ++piece) {
        W* sums = out<W>(partial) + piece * taps * image.channels;
        for (int64_t line = piece * lines / pieces; line < (piece + 1) * lines / pieces; ++line) {
          const T* row = in<T>(grad) + line * image.width * image.channels;
          for (int64_t v = 0; v < image.width; v += kDepthwiseTile) {
            source.point(tile, meeting, line / image.height, line % image.height, v);
            for (int64_t j = 0; j < kDepthwiseTile; ++j) grads[j] = v + j < image.width ? row + (v + j) * image.channels : source.zeros();
            loop(tile, grads, sums);
          }
        }
      }
    });
    return partial.sum(0).t().contiguous().view({image.channels, 1, kernel, kernel});
  });
}

}  // namespace facex::engine::kernels
