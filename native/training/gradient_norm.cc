#include "training/gradient_norm.h"

#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>

#include <cmath>
#include <numeric>

#include "training/blocks.h"

namespace facex::training {

namespace {

template <typename T>
double sum_of_squares(const T* values, int64_t count) {
  constexpr int64_t kLanes = 8;
  double lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] += static_cast<double>(values[i + lane]) * static_cast<double>(values[i + lane]);
  }
  for (; i < count; ++i) lanes[0] += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  return std::accumulate(lanes, lanes + kLanes, 0.0);
}

double norm_on_cpu(std::vector<Tensor> tensors) {
  for (Tensor& tensor : tensors) {
    if (!tensor.is_non_overlapping_and_dense()) tensor = tensor.contiguous();
  }
  const Blocks blocks(tensors);
  std::vector<double> sums(static_cast<size_t>(blocks.count()));
  blocks.each([&](int64_t block, size_t tensor, int64_t first, int64_t count) {
    const Tensor& values = tensors[tensor];
    sums[static_cast<size_t>(block)] = values.scalar_type() == at::kDouble ? sum_of_squares(values.const_data_ptr<double>() + first, count)
                                                                           : sum_of_squares(values.const_data_ptr<float>() + first, count);
  });
  return std::sqrt(std::accumulate(sums.begin(), sums.end(), 0.0));
}

}  // namespace

double l2_norm(const std::vector<Tensor>& tensors) {
  if (tensors.empty()) return 0;
  if (tensors[0].is_cpu()) return norm_on_cpu(tensors);
  std::vector<Tensor> norms;
  for (const Tensor& norm : at::_foreach_norm(tensors)) norms.push_back(norm.to(at::kDouble));
  return at::linalg_vector_norm(at::stack(norms)).item<double>();
}

}  // namespace facex::training
