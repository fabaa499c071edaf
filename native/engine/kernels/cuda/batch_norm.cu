// See batch_norm.h. Three launches each way: sums over pieces of the rows, their total, values.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <type_traits>

#include "core/cuda/launch.h"
#include "engine/kernels/cuda/batch_norm_table.h"
#include "engine/kernels/loops/activations.h"

namespace facex::engine::kernels::cuda {

namespace {

using facex::cuda::launch;
using loops::Activation;

template <typename T>
struct WideOf {
  using type = float;
};
template <>
struct WideOf<double> {
  using type = double;
};
template <typename T>
using Wide = typename WideOf<T>::type;

constexpr int kThreads = 256;  // of all kernels but those that fold
constexpr int kFold = 32;       // threads of a column when pieces are added up; a block has kFold columns too

// `kVector` neighbouring channels in one load of up to 16 bytes.
template <typename T, int kVector>
struct alignas(sizeof(T) * kVector) Pack {
  T values[kVector];
};

template <int kVector, typename T>
__device__ Pack<T, kVector> load(const T* from) {
  return *reinterpret_cast<const Pack<T, kVector>*>(from);
}

// What makes z of x, one value a channel: z = (x - mean) * weight * inverse_std + bias. Null: 0 for mean and bias, 1 for the others.
template <typename W>
struct Coefficients {
  const W *mean, *inverse_std, *weight, *bias, *slope;
  bool shared_slope;
};

// Those of a thread's channels. A thread keeps its channels over all its rows: read once, they stay in registers.
template <int kVector, typename W>
struct ChannelCoefficients {
  W mean[kVector], scale[kVector], shift[kVector], slope[kVector];

  __device__ ChannelCoefficients(const Coefficients<W>& from, int64_t first) {
    for (int v = 0; v < kVector; ++v) {
      const int64_t channel = first + v;
      mean[v] = from.mean == nullptr ? W(0) : from.mean[channel];
      scale[v] = (from.weight == nullptr ? W(1) : from.weight[channel]) * (from.inverse_std == nullptr ? W(1) : from.inverse_std[channel]);
      shift[v] = from.bias == nullptr ? W(0) : from.bias[channel];
      slope[v] = from.slope == nullptr ? W(0) : from.slope[from.shared_slope ? 0 : channel];
    }
  }
};

// Adds what the y threads of a block hold for each channel and writes the sums of the piece: partial [pieces, kSums, channels].
template <int kSums, int kVector, typename W>
__device__ void write_piece(W (&sums)[kSums][kVector], W* partial, int64_t channels) {
  __shared__ W shared[kSums * kVector][kThreads];
  const int self = threadIdx.y * blockDim.x + threadIdx.x;
  for (int s = 0; s < kSums; ++s) {
    for (int v = 0; v < kVector; ++v) shared[s * kVector + v][self] = sums[s][v];
  }
  __syncthreads();
  const int width = blockDim.x * kVector;
  for (int sum = self; sum < kSums * width; sum += kThreads) {
    const int s = sum / width, offset = sum % width;
    const int64_t channel = int64_t{blockIdx.x} * width + offset;
    if (channel >= channels) continue;
    const W* column = shared[s * kVector + offset % kVector] + offset / kVector;
    W total = 0;
    for (int y = 0; y < static_cast<int>(blockDim.y); ++y) total += column[y * blockDim.x];
    partial[(int64_t{blockIdx.y} * kSums + s) * channels + channel] = total;
  }
}

// Sums of the distances from the first row and of their squares: small also where the mean is large.
template <typename T, int kVector, typename W>
__global__ void moments_kernel(const T* __restrict__ x, int64_t rows, int64_t channels, int64_t length, W* __restrict__ partial) {
  const int64_t first = (int64_t{blockIdx.x} * blockDim.x + threadIdx.x) * kVector;
  W sums[2][kVector] = {};
  if (first < channels) {
    const auto origin = load<kVector>(x + first);
    const int64_t end = min(rows, (int64_t{blockIdx.y} + 1) * length);
#pragma unroll 4
    for (int64_t row = int64_t{blockIdx.y} * length + threadIdx.y; row < end; row += blockDim.y) {
      const auto values = load<kVector>(x + row * channels + first);
      for (int v = 0; v < kVector; ++v) {
        const W distance = static_cast<W>(values.values[v]) - static_cast<W>(origin.values[v]);
        sums[0][v] += distance;
        sums[1][v] += distance * distance;
      }
    }
  }
  write_piece<2, kVector>(sums, partial, channels);
}

// Sums over the pieces for kFold channels: afterwards the threads with y == 0 hold those of channel blockIdx.x * kFold + x.
template <int kSums, typename W>
__device__ void add_pieces(const W* partial, int64_t pieces, int64_t channels, double (&sums)[kSums]) {
  __shared__ double shared[kSums][kFold][kFold + 1];
  const int64_t channel = int64_t{blockIdx.x} * kFold + threadIdx.x;
  for (int s = 0; s < kSums; ++s) {
    double sum = 0;
    if (channel < channels) {
      for (int64_t piece = threadIdx.y; piece < pieces; piece += kFold) sum += static_cast<double>(partial[(piece * kSums + s) * channels + channel]);
    }
    shared[s][threadIdx.y][threadIdx.x] = sum;
  }
  __syncthreads();
  if (threadIdx.y != 0) return;
  for (int s = 0; s < kSums; ++s) {
    sums[s] = 0;
    for (int y = 0; y < kFold; ++y) sums[s] += shared[s][y][threadIdx.x];
  }
}

template <typename W>
struct Running {
  W *mean, *variance;
  int64_t* batches;
};

// Mean and inverse deviation of the batch, or the running ones without pieces.
template <typename T, typename W>
__global__ void forward_coefficients(const T* x, const W* partial, int64_t pieces, int64_t rows, int64_t channels, double eps, double momentum,
                                     Running<W> running, W* mean, W* inverse_std) {
  double sums[2];
  if (pieces > 0) add_pieces<2>(partial, pieces, channels, sums);
  const int64_t channel = int64_t{blockIdx.x} * kFold + threadIdx.x;
  if (threadIdx.y != 0 || channel >= channels) return;
  double centre, variance;
  if (pieces > 0) {
    const double count = static_cast<double>(rows), offset = sums[0] / count;
    centre = static_cast<double>(static_cast<W>(x[channel])) + offset;
    variance = max(0.0, sums[1] / count - offset * offset);
    if (running.mean != nullptr) {
      running.mean[channel] = static_cast<W>((1 - momentum) * running.mean[channel] + momentum * centre);
      running.variance[channel] = static_cast<W>((1 - momentum) * running.variance[channel] + momentum * variance * count / (count - 1));
      if (channel == 0 && running.batches != nullptr) *running.batches += 1;
    }
  } else {
    centre = running.mean[channel];
    variance = running.variance[channel];
  }
  mean[channel] = static_cast<W>(centre);
  inverse_std[channel] = static_cast<W>(1 / sqrt(variance + eps));
}

// Blocks of apply_kernel and derive_kernel stand next to each other over the rows: the GPU reads rows in their order.
template <typename Act, typename T, int kVector, typename W>
__global__ void apply_kernel(const T* __restrict__ x, const T* __restrict__ residual, Coefficients<W> coefficients, int64_t rows, int64_t channels,
                             T* __restrict__ y) {
  const int64_t first = (int64_t{blockIdx.x} * blockDim.x + threadIdx.x) * kVector;
  if (first >= channels) return;
  const ChannelCoefficients<kVector, W> z_of(coefficients, first);
#pragma unroll 2
  for (int64_t row = int64_t{blockIdx.y} * blockDim.y + threadIdx.y; row < rows; row += int64_t{gridDim.y} * blockDim.y) {
    const int64_t at = row * channels + first;
    const auto values = load<kVector>(x + at);
    Pack<T, kVector> more{}, result;
    if (residual != nullptr) more = load<kVector>(residual + at);
    for (int v = 0; v < kVector; ++v) {
      W z = (static_cast<W>(values.values[v]) - z_of.mean[v]) * z_of.scale[v] + z_of.shift[v];
      if (residual != nullptr) z += static_cast<W>(more.values[v]);
      result.values[v] = static_cast<T>(Act::value(z, z_of.slope[v]));
    }
    *reinterpret_cast<Pack<T, kVector>*>(y + at) = result;
  }
}

// Sums of dz = grad * act'(z), of dz * (x - mean) and of grad * min(z, 0).
template <typename Act, typename T, int kVector, typename W>
__global__ void reduce_kernel(const T* __restrict__ x, const T* __restrict__ residual, const T* __restrict__ grad, Coefficients<W> coefficients, int64_t rows,
                              int64_t channels, int64_t length, W* __restrict__ partial) {
  const int64_t first = (int64_t{blockIdx.x} * blockDim.x + threadIdx.x) * kVector;
  W sums[3][kVector] = {};
  if (first < channels) {
    const ChannelCoefficients<kVector, W> z_of(coefficients, first);
    const int64_t end = min(rows, (int64_t{blockIdx.y} + 1) * length);
#pragma unroll 2
    for (int64_t row = int64_t{blockIdx.y} * length + threadIdx.y; row < end; row += blockDim.y) {
      const int64_t at = row * channels + first;
      const auto values = load<kVector>(x + at), grads = load<kVector>(grad + at);
      Pack<T, kVector> more{};
      if (residual != nullptr) more = load<kVector>(residual + at);
      for (int v = 0; v < kVector; ++v) {
        const W distance = static_cast<W>(values.values[v]) - z_of.mean[v];
        W z = distance * z_of.scale[v] + z_of.shift[v];
        if (residual != nullptr) z += static_cast<W>(more.values[v]);
        const W g = static_cast<W>(grads.values[v]), dz = g * Act::slope_at(z, z_of.slope[v]);
        sums[0][v] += dz;
        sums[1][v] += dz * distance;
        sums[2][v] += z > W(0) ? W(0) : g * z;
      }
    }
  }
  write_piece<3, kVector>(sums, partial, channels);
}

// Gradients of the layer, and x's: scale * dz + constant + linear * (x - mean).
template <typename W>
__global__ void backward_coefficients(const W* partial, int64_t pieces, int64_t rows, int64_t channels, const W* weight, const W* inverse_std,
                                      bool batch_statistics, W* weight_grad, W* bias_grad, W* slope_grad, W* constant, W* linear) {
  double sums[3];
  add_pieces<3>(partial, pieces, channels, sums);
  const int64_t channel = int64_t{blockIdx.x} * kFold + threadIdx.x;
  if (threadIdx.y != 0 || channel >= channels) return;
  const double inverse = inverse_std == nullptr ? 1 : static_cast<double>(inverse_std[channel]), scale = weight == nullptr ? inverse : weight[channel] * inverse;
  const double share = batch_statistics ? scale / static_cast<double>(rows) : 0;
  if (weight_grad != nullptr) weight_grad[channel] = static_cast<W>(sums[1] * inverse);
  if (bias_grad != nullptr) bias_grad[channel] = static_cast<W>(sums[0]);
  if (slope_grad != nullptr) slope_grad[channel] = static_cast<W>(sums[2]);
  constant[channel] = static_cast<W>(-share * sums[0]);
  linear[channel] = static_cast<W>(-share * sums[1] * inverse * inverse);
}

// x_grad may lie over grad: a thread reads its elements before it writes them.
template <typename Act, typename T, int kVector, typename W>
__global__ void derive_kernel(const T* __restrict__ x, const T* __restrict__ residual, const T* grad, Coefficients<W> coefficients,
                              const W* __restrict__ constant, const W* __restrict__ linear, int64_t rows, int64_t channels, T* x_grad, T* residual_grad) {
  const int64_t first = (int64_t{blockIdx.x} * blockDim.x + threadIdx.x) * kVector;
  if (first >= channels) return;
  const ChannelCoefficients<kVector, W> z_of(coefficients, first);
  W constants[kVector], linears[kVector];
  for (int v = 0; v < kVector; ++v) {
    constants[v] = constant[first + v];
    linears[v] = linear[first + v];
  }
  for (int64_t row = int64_t{blockIdx.y} * blockDim.y + threadIdx.y; row < rows; row += int64_t{gridDim.y} * blockDim.y) {
    const int64_t at = row * channels + first;
    const auto values = load<kVector>(x + at), grads = load<kVector>(grad + at);
    Pack<T, kVector> more{}, to_x, to_residual;
    if (residual != nullptr) more = load<kVector>(residual + at);
    for (int v = 0; v < kVector; ++v) {
      const W distance = static_cast<W>(values.values[v]) - z_of.mean[v];
      W z = distance * z_of.scale[v] + z_of.shift[v];
      if (residual != nullptr) z += static_cast<W>(more.values[v]);
      const W dz = static_cast<W>(grads.values[v]) * Act::slope_at(z, z_of.slope[v]);
      to_x.values[v] = static_cast<T>(z_of.scale[v] * dz + constants[v] + linears[v] * distance);
      to_residual.values[v] = static_cast<T>(dz);
    }
    if (x_grad != nullptr) *reinterpret_cast<Pack<T, kVector>*>(x_grad + at) = to_x;
    if (residual_grad != nullptr) *reinterpret_cast<Pack<T, kVector>*>(residual_grad + at) = to_residual;
  }
}

template <typename Body>
void with_activation(Activation activation, const Body& body) {
  switch (activation) {
    case Activation::kNone: return body(loops::Identity());
    case Activation::kPRelu: return body(loops::PRelu());
    case Activation::kRelu: return body(loops::Relu());
    case Activation::kRelu6: return body(loops::Relu6());
    case Activation::kSigmoid: return body(loops::Sigmoid());
    case Activation::kSilu: return body(loops::Silu());
    case Activation::kHardSwish: return body(loops::HardSwish());
  }
}

// body(T(), vector width) for a storage type.
template <typename Body>
void with_storage(Storage storage, int vector, const Body& body) {
  const auto at_width = [&]<typename T>(T) {
    if (vector > 1) {
      body(T(), std::integral_constant<int, 16 / sizeof(T)>());
    } else {
      body(T(), std::integral_constant<int, 1>());
    }
  };
  switch (storage) {
    case Storage::kDouble: return at_width(double());
    case Storage::kBFloat16: return at_width(__nv_bfloat16());
    case Storage::kHalf: return at_width(__half());
    case Storage::kFloat: return at_width(float());
  }
}

dim3 fold_grid(int64_t channels) { return dim3(static_cast<unsigned>((channels + kFold - 1) / kFold)); }
dim3 value_grid(const Layout& layout) { return dim3(static_cast<unsigned>(layout.columns), static_cast<unsigned>(layout.blocks)); }
dim3 grid_of(const Layout& layout) { return dim3(static_cast<unsigned>(layout.columns), static_cast<unsigned>(layout.pieces)); }

template <typename W, typename Call>
Coefficients<W> coefficients_of(const Call& call) {
  return {static_cast<const W*>(call.mean), static_cast<const W*>(call.inverse_std), static_cast<const W*>(call.weight),
          static_cast<const W*>(call.bias), static_cast<const W*>(call.slope), call.shared_slope};
}

template <typename T, int kVector>
void launch_forward(const BatchNormForward& call, cudaStream_t stream) {
  using W = Wide<T>;
  const Layout& at = call.layout;
  const auto* x = static_cast<const T*>(call.x);
  auto* partial = static_cast<W*>(call.partial);
  if (call.batch_statistics) {
    launch(moments_kernel<T, kVector, W>, grid_of(at), dim3(at.x, at.y), stream, x, at.rows, at.channels, at.length, partial);
  }
  if (call.mean != nullptr) {
    const Running<W> running{static_cast<W*>(call.running_mean), static_cast<W*>(call.running_var), call.batches};
    launch(forward_coefficients<T, W>, fold_grid(at.channels), dim3(kFold, kFold), stream, x, partial, call.batch_statistics ? at.pieces : 0, at.rows,
           at.channels, call.eps, call.momentum, running, static_cast<W*>(call.mean), static_cast<W*>(call.inverse_std));
  }
  const auto z_of = coefficients_of<W>(call);
  with_activation(call.activation, [&]<typename Act>(Act) {
    launch(apply_kernel<Act, T, kVector, W>, value_grid(at), dim3(at.x, at.y), stream, x, static_cast<const T*>(call.residual), z_of, at.rows, at.channels,
           static_cast<T*>(call.y));
  });
}

template <typename T, int kVector>
void launch_backward(const BatchNormBackward& call, cudaStream_t stream) {
  using W = Wide<T>;
  const Layout& at = call.layout;
  const auto *x = static_cast<const T*>(call.x), *residual = static_cast<const T*>(call.residual), *grad = static_cast<const T*>(call.grad);
  auto *partial = static_cast<W*>(call.partial), *constant = static_cast<W*>(call.constant), *linear = static_cast<W*>(call.linear);
  const auto z_of = coefficients_of<W>(call);
  with_activation(call.activation, [&]<typename Act>(Act) {
    launch(reduce_kernel<Act, T, kVector, W>, grid_of(at), dim3(at.x, at.y), stream, x, residual, grad, z_of, at.rows, at.channels, at.length, partial);
    launch(backward_coefficients<W>, fold_grid(at.channels), dim3(kFold, kFold), stream, partial, at.pieces, at.rows, at.channels, z_of.weight,
           z_of.inverse_std, call.batch_statistics, static_cast<W*>(call.weight_grad), static_cast<W*>(call.bias_grad), static_cast<W*>(call.slope_grad),
           constant, linear);
    if (call.x_grad == nullptr && call.residual_grad == nullptr) return;
    launch(derive_kernel<Act, T, kVector, W>, value_grid(at), dim3(at.x, at.y), stream, x, residual, grad, z_of, constant, linear, at.rows, at.channels,
           static_cast<T*>(call.x_grad), static_cast<T*>(call.residual_grad));
  });
}

const char* forward(const BatchNormForward& call, void* stream) {
  with_storage(call.storage, call.layout.vector, [&]<typename T, int kVector>(T, std::integral_constant<int, kVector>) {
    launch_forward<T, kVector>(call, static_cast<cudaStream_t>(stream));
  });
  return facex::cuda::launch_problem();
}

const char* backward(const BatchNormBackward& call, void* stream) {
  with_storage(call.storage, call.layout.vector, [&]<typename T, int kVector>(T, std::integral_constant<int, kVector>) {
    launch_backward<T, kVector>(call, static_cast<cudaStream_t>(stream));
  });
  return facex::cuda::launch_problem();
}

}  // namespace

}  // namespace facex::engine::kernels::cuda

extern "C" __attribute__((visibility("default"))) const void* facex_cuda_batch_norm() {
  static const facex::engine::kernels::cuda::BatchNormTable table{facex::engine::kernels::cuda::forward, facex::engine::kernels::cuda::backward};
  return &table;
}
