// The CUDA kernels of batch norm as facex_cuda.so offers them: pointers and sizes, no tensors.
#pragma once

#include <cstdint>

#include "engine/kernels/loops/affine_act.h"

namespace facex::engine::kernels::cuda {

enum class Storage { kFloat, kDouble, kBFloat16, kHalf };

// How the kernels walk rows of channels: blocks of x threads along the channels and y along the rows.
struct Layout {
  int64_t rows, channels;
  int vector;              // neighbouring channels a thread reads at once: 16 bytes of them, or 1
  int x, y;
  int64_t columns;         // blocks along the channels
  int64_t pieces, length;  // blocks along the rows, and the rows of each; partial sums come one a piece
  int64_t blocks;          // along the rows, of the kernels that go over all values
};

// Pointers to values of the storage type; coefficients and statistics are float, or double for double values. Null where
// the layer has none of it.
struct BatchNormForward {
  Storage storage;
  Layout layout;
  loops::Activation activation;
  double eps, momentum;
  bool batch_statistics, shared_slope;
  const void *x, *residual;
  const void *weight, *bias, *slope;
  void *running_mean, *running_var;
  int64_t* batches;
  void* partial;              // [pieces, 2, C]
  void *mean, *inverse_std;   // [C], written; null where values are not normalised
  void* y;
};

struct BatchNormBackward {
  Storage storage;
  Layout layout;
  loops::Activation activation;
  bool batch_statistics, shared_slope;
  const void *x, *residual, *grad;
  const void *weight, *bias, *slope, *mean, *inverse_std;
  void* partial;                              // [pieces, 3, C]
  void *weight_grad, *bias_grad, *slope_grad; // [C], written
  void *constant, *linear;                    // [C], written
  void *x_grad, *residual_grad;               // x_grad may be `grad`
};

// Each launches on `stream` and returns CUDA's error text, or null.
struct BatchNormTable {
  const char* (*forward)(const BatchNormForward& call, void* stream);
  const char* (*backward)(const BatchNormBackward& call, void* stream);
};

// Table `pixels`: uint8 to (x - mean) * scale.
struct PixelTable {
  const char* (*normalise)(const uint8_t* bytes, void* values, Storage storage, int64_t count, double mean, double scale, int blocks, void* stream);
};

}  // namespace facex::engine::kernels::cuda
