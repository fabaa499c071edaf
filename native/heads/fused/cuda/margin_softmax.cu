// See margin_softmax_table.h. The buffer is read twice and written once: the first kernel keeps maximum and sum of each
// piece of a row, the second recomputes the logits and writes gradients over the products. Sums are taken in an order that
// depends on the shape only.
#include <cuda_runtime.h>

#include "core/cuda/launch.h"
#include "heads/fused/cuda/margin_softmax_table.h"

namespace facex::heads::fused::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int kWarp = 32;

// A maximum, and the sum of exp(x - maximum).
template <typename T>
struct Measure {
  T top, sum;
};

template <typename T>
__device__ T lowest() {
  return -static_cast<T>(INFINITY);
}

template <typename T>
__device__ Measure<T> merge(Measure<T> a, Measure<T> b) {
  if (a.top < b.top) {
    const Measure<T> swap = a;
    a = b;
    b = swap;
  }
  // Nothing was seen on either side: no exp(inf - inf).
  if (b.top == lowest<T>()) return {a.top, a.sum + b.sum};
  return {a.top, a.sum + b.sum * exp(b.top - a.top)};
}

// The buffer as the kernels read it.
template <typename T>
struct Buffer {
  T* products;
  const T* inverse_norms;
  int64_t classes, centres_per_class;
  bool spherical;

  __device__ T* row(int64_t i) const { return products + i * classes * centres_per_class; }

  __device__ T cosine(const T* row, int64_t position) const {
    const T product = row[position] * inverse_norms[position];
    return spherical ? min(max(product, T(-1)), T(1)) : product;
  }

  // Column of the best centre of a class.
  __device__ int64_t locate(const T* row, int64_t label) const {
    int64_t best = label * centres_per_class;
    for (int64_t c = best + 1; c < (label + 1) * centres_per_class; ++c) {
      if (cosine(row, c) > cosine(row, best)) best = c;
    }
    return best;
  }

  // The gradients of a class's centres: all but the best get none.
  __device__ void store(T* row, int64_t label, int64_t best, T grad) const {
    for (int64_t c = label * centres_per_class; c < (label + 1) * centres_per_class; ++c) row[c] = c == best ? grad * inverse_norms[c] : T(0);
  }
};

// What the threads of a block hold, merged; all of them receive it.
template <typename T>
__device__ Measure<T> merge_block(Measure<T> own) {
  __shared__ Measure<T> shared[kThreads];
  shared[threadIdx.x] = own;
  for (int half = kThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (static_cast<int>(threadIdx.x) < half) shared[threadIdx.x] = merge(shared[threadIdx.x], shared[threadIdx.x + half]);
  }
  __syncthreads();
  return shared[0];
}

// Grid [pieces, rows].
template <typename T, typename Form>
__global__ void measure_kernel(Form form, Buffer<T> buffer, int64_t length, const int64_t* label, const T* target, const T* threshold, T* partial, T* logits) {
  const int64_t i = blockIdx.y, first = int64_t{blockIdx.x} * length, end = min(buffer.classes, first + length);
  const T* row = buffer.row(i);
  Measure<T> own{lowest<T>(), T(0)};
  for (int64_t j = first + threadIdx.x; j < end; j += kThreads) {
    const T logit = j == label[i] ? target[i] : form.value(buffer.cosine(row, buffer.locate(row, j)), threshold[i]);
    if (logits != nullptr) logits[i * buffer.classes + j] = logit;
    own = merge(own, Measure<T>{logit, T(1)});
  }
  const Measure<T> all = merge_block(own);
  if (threadIdx.x != 0) return;
  T* to = partial + (i * gridDim.x + blockIdx.x) * 2;
  to[0] = all.top;
  to[1] = all.sum;
}

// Grid [pieces, rows]. Every block merges the pieces of its row again: a few numbers.
template <typename T, typename Form>
__global__ void derive_kernel(Form form, Buffer<T> buffer, int64_t length, const int64_t* label, const int64_t* position, const T* target, const T* slope,
                              const T* threshold, const T* partial, T row_scale, bool gradients, T* loss, T* target_grad) {
  const int64_t i = blockIdx.y, first = int64_t{blockIdx.x} * length, end = min(buffer.classes, first + length);
  Measure<T> whole{lowest<T>(), T(0)};
  for (int piece = threadIdx.x; piece < static_cast<int>(gridDim.x); piece += kThreads) {
    const T* from = partial + (i * gridDim.x + piece) * 2;
    whole = merge(whole, Measure<T>{from[0], from[1]});
  }
  whole = merge_block(whole);
  const T own_grad = row_scale * (exp(target[i] - whole.top) / whole.sum - 1);
  if (blockIdx.x == 0 && threadIdx.x == 0) {
    loss[i] = (whole.top - target[i]) + log(whole.sum);
    target_grad[i] = own_grad;
  }
  if (!gradients) return;
  T* row = buffer.row(i);
  const T factor = row_scale / whole.sum;
  for (int64_t j = first + threadIdx.x; j < end; j += kThreads) {
    if (j == label[i]) {
      buffer.store(row, j, position[i], own_grad * slope[i]);
      continue;
    }
    const int64_t best = buffer.locate(row, j);
    const T cosine = buffer.cosine(row, best);
    buffer.store(row, j, best, exp(form.value(cosine, threshold[i]) - whole.top) * factor * form.slope(cosine, threshold[i]));
  }
}

// A warp a centre.
template <typename T>
__global__ void project_kernel(const T* centre, const T* inverse_norms, const T* grad, int64_t centres, int64_t dims, bool add, T* out) {
  const int64_t c = (int64_t{blockIdx.x} * kThreads + threadIdx.x) / kWarp;
  if (c >= centres) return;
  const int lane = threadIdx.x % kWarp;
  const T *w = centre + c * dims, *a = grad + c * dims;
  T sum = 0;
  for (int64_t k = lane; k < dims; k += kWarp) sum += w[k] * a[k];
  for (int distance = kWarp / 2; distance > 0; distance /= 2) sum += __shfl_xor_sync(0xFFFFFFFF, sum, distance);
  const T along = sum * inverse_norms[c] * inverse_norms[c];
  T* d = out + c * dims;
  for (int64_t k = lane; k < dims; k += kWarp) d[k] = (add ? d[k] : T(0)) + a[k] - along * w[k];
}

template <typename T, typename Form>
void launch(const MarginSoftmaxCall& call, cudaStream_t stream) {
  const Form form = call.form.as<Form>();
  const Buffer<T> buffer{static_cast<T*>(call.products), static_cast<const T*>(call.inverse_norms), call.classes, call.centres_per_class, call.spherical};
  const auto *target = static_cast<const T*>(call.row.target), *slope = static_cast<const T*>(call.row.slope), *threshold = static_cast<const T*>(call.row.threshold);
  auto* partial = static_cast<T*>(call.partial);
  const dim3 grid(static_cast<unsigned>(call.pieces), static_cast<unsigned>(call.rows));
  facex::cuda::launch(measure_kernel<T, Form>, grid, kThreads, stream, form, buffer, call.length, call.row.label, target, threshold, partial,
                      static_cast<T*>(call.logits));
  facex::cuda::launch(derive_kernel<T, Form>, grid, kThreads, stream, form, buffer, call.length, call.row.label, call.row.position, target, slope, threshold,
                      partial, static_cast<T>(call.row_scale), call.gradients, static_cast<T*>(call.loss), static_cast<T*>(call.target_grad));
}

template <typename T>
void launch_form(const MarginSoftmaxCall& call, cudaStream_t stream) {
  switch (call.form.kind) {
    case OthersKind::kScaled: return launch<T, ScaledOthers<T>>(call, stream);
    case OthersKind::kMined: return launch<T, MinedOthers<T>>(call, stream);
    case OthersKind::kCurricular: return launch<T, CurricularOthers<T>>(call, stream);
    case OthersKind::kCircle: return launch<T, CircleOthers<T>>(call, stream);
    case OthersKind::kArcNeg: return launch<T, ArcNegOthers<T>>(call, stream);
  }
}

const char* margin_softmax(const MarginSoftmaxCall& call, void* stream) {
  if (call.is_double) {
    launch_form<double>(call, static_cast<cudaStream_t>(stream));
  } else {
    launch_form<float>(call, static_cast<cudaStream_t>(stream));
  }
  return facex::cuda::launch_problem();
}

template <typename T>
void launch_project(const ProjectCall& call, cudaStream_t stream) {
  const auto blocks = static_cast<unsigned>((call.centres * kWarp + kThreads - 1) / kThreads);
  facex::cuda::launch(project_kernel<T>, blocks, kThreads, stream, static_cast<const T*>(call.centre), static_cast<const T*>(call.inverse_norms),
                      static_cast<const T*>(call.grad), call.centres, call.dims, call.add, static_cast<T*>(call.out));
}

const char* project(const ProjectCall& call, void* stream) {
  if (call.is_double) {
    launch_project<double>(call, static_cast<cudaStream_t>(stream));
  } else {
    launch_project<float>(call, static_cast<cudaStream_t>(stream));
  }
  return facex::cuda::launch_problem();
}

}  // namespace

}  // namespace facex::heads::fused::cuda

extern "C" __attribute__((visibility("default"))) const void* facex_cuda_heads() {
  static const facex::heads::fused::cuda::HeadTable table{facex::heads::fused::cuda::margin_softmax, facex::heads::fused::cuda::project};
  return &table;
}
