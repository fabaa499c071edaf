#include "engine/kernels/cuda/batch_norm.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <c10/core/DeviceGuard.h>

#include <algorithm>
#include <initializer_list>

#include "core/cuda/library.h"
#include "core/error.h"
#include "engine/kernels/affine_act.h"
#include "engine/kernels/cuda/batch_norm_table.h"

namespace facex::engine::kernels::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int64_t kMostPieces = 512;

Storage storage_of(const Tensor& x) {
  switch (x.scalar_type()) {
    case at::kDouble: return Storage::kDouble;
    case at::kBFloat16: return Storage::kBFloat16;
    case at::kHalf: return Storage::kHalf;
    default: return Storage::kFloat;
  }
}

const void* in(const Tensor& tensor) { return tensor.defined() ? tensor.const_data_ptr() : nullptr; }
void* out(const Tensor& tensor) { return tensor.defined() ? tensor.mutable_data_ptr() : nullptr; }

// Row `index` of a matrix, without the cost of a tensor for it.
void* row(const Tensor& matrix, int64_t index) {
  return matrix.defined() ? static_cast<char*>(matrix.mutable_data_ptr()) + index * matrix.size(1) * matrix.element_size() : nullptr;
}

// Blocks of kThreads for a loop over `count` elements.
int blocks_for(int64_t count) {
  return static_cast<int>(std::clamp<int64_t>((count + kThreads - 1) / kThreads, 1, int64_t{32} * facex::cuda::device().multiprocessors()));
}

// 16 bytes at a time where the channels and all addresses allow it.
int vector_of(std::initializer_list<const Tensor*> tensors) {
  const Tensor& x = **tensors.begin();
  const auto wide = static_cast<int64_t>(16 / x.element_size());
  bool fits = x.size(1) % wide == 0;
  for (const Tensor* tensor : tensors) fits = fits && reinterpret_cast<uintptr_t>(in(*tensor)) % 16 == 0;
  return fits ? static_cast<int>(wide) : 1;
}

Layout layout_of(std::initializer_list<const Tensor*> tensors) {
  const Tensor& x = **tensors.begin();
  Layout layout{};
  layout.rows = x.numel() / x.size(1);
  layout.channels = x.size(1);
  layout.vector = vector_of(tensors);
  layout.x = 1;
  const int64_t groups = layout.channels / layout.vector;
  while (layout.x < groups && layout.x < 64) layout.x *= 2;
  layout.y = kThreads / layout.x;
  layout.columns = (groups + layout.x - 1) / layout.x;
  const int64_t wanted = std::max<int64_t>(1, int64_t{4} * facex::cuda::device().multiprocessors() / layout.columns);
  const int64_t pieces = std::clamp<int64_t>((layout.rows + layout.y - 1) / layout.y, 1, std::min(wanted, kMostPieces));
  layout.length = (layout.rows + pieces - 1) / pieces;
  layout.pieces = (layout.rows + layout.length - 1) / layout.length;
  layout.blocks = std::clamp<int64_t>((layout.rows + layout.y - 1) / layout.y, 1, 2 * wanted);
  return layout;
}

at::TensorOptions wide_options(const Tensor& x) { return at::TensorOptions().device(x.device()).dtype(wide_type(x.scalar_type())); }

void check(const char* problem, const char* what) {
  if (problem != nullptr) fail(ErrorCode::kNative, "CUDA, ", what, ": ", problem);
}

const BatchNormTable& table() {
  static const auto& found = facex::cuda::table_as<BatchNormTable>("batch_norm");
  return found;
}

}  // namespace

bool batch_norm_takes(const Tensor& x) {
  return x.is_cuda() && x.numel() > 0 && x.is_floating_point() &&
         (x.dim() == 2 ? x.is_contiguous() : x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast));
}

BatchNormResult batch_norm(const Tensor& x, const Tensor& residual, const BatchNormLayer& layer) {
  const c10::DeviceGuard guard(x.device());
  const auto options = wide_options(x);
  const Tensor y = at::empty_like(x);
  const bool normalises = layer.batch_statistics || layer.running_mean.defined();
  const Tensor statistics = normalises ? at::empty({2, x.size(1)}, options) : Tensor();
  const Layout layout = layout_of({&x, &residual, &y});
  const Tensor partial = layer.batch_statistics ? at::empty({layout.pieces, 2, layout.channels}, options) : Tensor();
  const BatchNormForward call{
      .storage = storage_of(x), .layout = layout, .activation = layer.activation, .eps = layer.eps, .momentum = layer.momentum,
      .batch_statistics = layer.batch_statistics, .shared_slope = layer.slope.defined() && layer.slope.numel() == 1,
      .x = in(x), .residual = in(residual), .weight = in(layer.weight), .bias = in(layer.bias), .slope = in(layer.slope),
      .running_mean = out(layer.running_mean), .running_var = out(layer.running_var), .batches = static_cast<int64_t*>(out(layer.batches)),
      .partial = out(partial), .mean = row(statistics, 0), .inverse_std = row(statistics, 1), .y = out(y)};
  check(table().forward(call, facex::cuda::device().stream()), "batch norm forward");
  return {y, statistics};
}

BatchNormGrads batch_norm_backward(const Tensor& x, const Tensor& residual, const BatchNormLayer& layer, const Tensor& statistics, const Tensor& grad,
                                   bool wants_x, bool wants_residual, bool in_place) {
  const c10::DeviceGuard guard(x.device());
  const auto options = wide_options(x);
  const Tensor memory = at::empty({5, x.size(1)}, options);
  BatchNormGrads result{.x = {}, .residual = {}, .weight = memory[0], .bias = memory[1], .slope = layer.slope.defined() ? memory[2] : Tensor()};
  if (wants_x) result.x = in_place ? grad : at::empty_like(x);
  if (wants_residual) result.residual = at::empty_like(x);
  const Layout layout = layout_of({&x, &residual, &grad, &result.x, &result.residual});
  const Tensor partial = at::empty({layout.pieces, 3, layout.channels}, options);
  const BatchNormBackward call{
      .storage = storage_of(x), .layout = layout, .activation = layer.activation, .batch_statistics = layer.batch_statistics,
      .shared_slope = layer.slope.defined() && layer.slope.numel() == 1,
      .x = in(x), .residual = in(residual), .grad = in(grad), .weight = in(layer.weight), .bias = in(layer.bias), .slope = in(layer.slope),
      .mean = row(statistics, 0), .inverse_std = row(statistics, 1), .partial = out(partial),
      .weight_grad = out(result.weight), .bias_grad = out(result.bias), .slope_grad = out(result.slope),
      .constant = row(memory, 3), .linear = row(memory, 4), .x_grad = out(result.x), .residual_grad = out(result.residual)};
  check(table().backward(call, facex::cuda::device().stream()), "batch norm backward");
  return result;
}

void normalise_pixels(const Tensor& bytes, const Tensor& values, double mean, double scale) {
  static const auto& table = facex::cuda::table_as<PixelTable>("pixels");
  const c10::DeviceGuard guard(bytes.device());
  check(table.normalise(bytes.const_data_ptr<uint8_t>(), values.mutable_data_ptr(), storage_of(values), bytes.numel(), mean, scale, blocks_for(bytes.numel()),
                        facex::cuda::device().stream()),
        "pixel normalisation");
}

}  // namespace facex::engine::kernels::cuda
