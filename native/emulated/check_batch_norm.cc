#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <string>
#include <type_traits>

#include "emulated/check.h"
#include "engine/kernels/cuda/batch_norm_table.h"

extern "C" const void* facex_cuda_batch_norm();
extern "C" const void* facex_cuda_pixels();

namespace facex::emulated {

namespace {

using namespace engine::kernels::cuda;
using engine::loops::Activation;

double logistic(double z) { return 1 / (1 + std::exp(-z)); }

double act(Activation activation, double z, double slope) {
  switch (activation) {
    case Activation::kNone: return z;
    case Activation::kPRelu: return z > 0 ? z : slope * z;
    case Activation::kRelu: return std::max(z, 0.0);
    case Activation::kRelu6: return std::min(std::max(z, 0.0), 6.0);
    case Activation::kSigmoid: return logistic(z);
    case Activation::kSilu: return z * logistic(z);
    case Activation::kHardSwish: return z * std::min(std::max(z + 3, 0.0), 6.0) / 6;
  }
  return NAN;
}

double act_slope(Activation activation, double z, double slope) {
  switch (activation) {
    case Activation::kNone: return 1;
    case Activation::kPRelu: return z > 0 ? 1 : slope;
    case Activation::kRelu: return z > 0 ? 1 : 0;
    case Activation::kRelu6: return z > 0 && z < 6 ? 1 : 0;
    case Activation::kSigmoid: return logistic(z) * (1 - logistic(z));
    case Activation::kSilu: return logistic(z) * (1 + z * (1 - logistic(z)));
    case Activation::kHardSwish: return z <= -3 ? 0 : z >= 3 ? 1 : (2 * z + 3) / 6;
  }
  return NAN;
}

struct Case {
  int64_t rows, channels;
  Activation activation;
  bool residual, affine, batch, shared_slope;
};

template <typename T>
constexpr Storage kStorage = std::is_same_v<T, double> ? Storage::kDouble : std::is_same_v<T, float> ? Storage::kFloat : std::is_same_v<T, __half> ? Storage::kHalf : Storage::kBFloat16;

Layout layout_of(const Case& given, int wide) {
  Layout layout{.rows = given.rows, .channels = given.channels, .vector = given.channels % wide == 0 ? wide : 1, .x = 1};
  const int64_t groups = given.channels / layout.vector;
  while (layout.x < groups && layout.x < 64) layout.x *= 2;
  layout.y = 256 / layout.x;
  layout.columns = (groups + layout.x - 1) / layout.x;
  layout.length = (given.rows + 3) / 4;
  layout.pieces = (given.rows + layout.length - 1) / layout.length;
  layout.blocks = 2;
  return layout;
}

template <typename T>
void check_case(Report& report, const Case& given, double tolerance) {
  using W = std::conditional_t<std::is_same_v<T, double>, double, float>;
  const auto [rows, channels, activation, has_residual, affine, batch, shared_slope] = given;
  const Layout layout = layout_of(given, static_cast<int>(16 / sizeof(T)));
  const int64_t count = rows * channels;
  const bool learns = activation == Activation::kPRelu;
  const auto x = stored<T>(normal(count, 2, 3)), residual = stored<T>(normal(count)), grad = stored<T>(normal(count));
  const auto weight = stored<W>(normal(channels, 0.2, 1)), bias = stored<W>(normal(channels)), slope = stored<W>(normal(shared_slope ? 1 : channels, 0.05, 0.25));
  auto running_mean = stored<W>(normal(channels)), running_var = stored<W>(normal(channels, 0.1, 1));
  const double eps = 1e-5, momentum = 0.1;

  const Values wide_x = widened(x), wide_residual = widened(residual), wide_grad = widened(grad);
  Values y(count), x_grad(count), residual_grad(count), weight_grad(channels), bias_grad(channels), slope_grad(channels), new_mean(channels), new_var(channels);
  for (int64_t c = 0; c < channels; ++c) {
    double mean = 0, variance = 0;
    for (int64_t i = c; i < count; i += channels) mean += wide_x[i] / static_cast<double>(rows);
    for (int64_t i = c; i < count; i += channels) variance += (wide_x[i] - mean) * (wide_x[i] - mean) / static_cast<double>(rows);
    new_mean[c] = batch ? (1 - momentum) * running_mean[c] + momentum * mean : running_mean[c];
    new_var[c] = batch ? (1 - momentum) * running_var[c] + momentum * variance * static_cast<double>(rows) / static_cast<double>(rows - 1) : running_var[c];
    if (!batch) mean = running_mean[c], variance = running_var[c];
    const double inverse = 1 / std::sqrt(variance + eps), scale = (affine ? weight[c] : 1) * inverse, by = slope[shared_slope ? 0 : c];
    for (int64_t i = c; i < count; i += channels) {
      const double unit = (wide_x[i] - mean) * inverse, z = (wide_x[i] - mean) * scale + (affine ? bias[c] : 0) + (has_residual ? wide_residual[i] : 0);
      y[i] = act(activation, z, by);
      residual_grad[i] = wide_grad[i] * act_slope(activation, z, by);
      weight_grad[c] += residual_grad[i] * unit;
      bias_grad[c] += residual_grad[i];
      slope_grad[c] += z > 0 ? 0 : wide_grad[i] * z;
    }
    for (int64_t i = c; i < count; i += channels) {
      const double unit = (wide_x[i] - mean) * inverse;
      x_grad[i] = scale * (residual_grad[i] - (batch ? (bias_grad[c] + unit * weight_grad[c]) / static_cast<double>(rows) : 0));
    }
  }

  const auto& table = *static_cast<const BatchNormTable*>(facex_cuda_batch_norm());
  std::vector<T> found(count), found_residual(count), found_grad = grad;  // over the gradient of y
  std::vector<W> partial(layout.pieces * 3 * channels), mean(channels), inverse(channels), by_weight(channels), by_bias(channels),
      by_slope(channels), constant(channels), linear(channels);
  int64_t batches = 4;
  const auto only = [](bool there, const auto& values) { return there ? values.data() : nullptr; };
  table.forward({kStorage<T>, layout, activation, eps, momentum, batch, shared_slope, x.data(), only(has_residual, residual), only(affine, weight), only(affine, bias),
                 only(learns, slope), running_mean.data(), running_var.data(), &batches, partial.data(), mean.data(), inverse.data(), found.data()},
                nullptr);
  table.backward({kStorage<T>, layout, activation, batch, shared_slope, x.data(), only(has_residual, residual), found_grad.data(), only(affine, weight), only(affine, bias),
                  only(learns, slope), mean.data(), inverse.data(), partial.data(), by_weight.data(), by_bias.data(), learns ? by_slope.data() : nullptr, constant.data(), linear.data(), found_grad.data(), has_residual ? found_residual.data() : nullptr},
                 nullptr);

  const std::string text = "batch norm, activation " + std::to_string(static_cast<int>(activation)) + ", " + std::to_string(rows) + " x " + std::to_string(channels) +
                           " of " + std::to_string(sizeof(T)) + " bytes";
  const char* name = text.c_str();
  report.expect("output", name, widened(found), y, tolerance);
  report.expect("gradient of x", name, widened(found_grad), x_grad, tolerance);
  if (has_residual) report.expect("gradient of the shortcut", name, widened(found_residual), residual_grad, tolerance);
  report.expect("gradient of the weight", name, widened(by_weight), weight_grad, 1e-4);
  report.expect("gradient of the bias", name, widened(by_bias), bias_grad, 1e-4);
  if (learns) report.expect("gradient of the slope", name, widened(by_slope), slope_grad, 1e-4);
  report.expect("running mean", name, widened(running_mean), new_mean, 1e-6);
  report.expect("running variance", name, widened(running_var), new_var, 1e-5);
  report.expect("batches seen", name, {static_cast<double>(batches)}, {batch ? 5.0 : 4.0}, 0);
}

// Without statistics nothing is normalised: act(x), as PReLU alone.
void check_activation_alone(Report& report) {
  const Case given{60, 12, Activation::kPRelu, false, false, false, false};
  const Layout layout = layout_of(given, 4);
  const auto x = stored<float>(normal(720)), grad = stored<float>(normal(720)), slope = stored<float>(normal(12, 0.05, 0.25));
  Values y, x_grad, slope_grad(12);
  for (size_t i = 0; i < x.size(); ++i) {
    y.push_back(x[i] > 0 ? x[i] : x[i] * slope[i % 12]);
    x_grad.push_back(x[i] > 0 ? grad[i] : grad[i] * slope[i % 12]);
    slope_grad[i % 12] += x[i] > 0 ? 0 : grad[i] * x[i];
  }
  const auto& table = *static_cast<const BatchNormTable*>(facex_cuda_batch_norm());
  std::vector<float> found(720), found_grad(720), partial(layout.pieces * 36), by_slope(12), constant(12), linear(12);
  BatchNormForward forward{};
  forward.storage = Storage::kFloat, forward.layout = layout, forward.activation = given.activation;
  forward.x = x.data(), forward.slope = slope.data(), forward.y = found.data();
  table.forward(forward, nullptr);
  BatchNormBackward backward{};
  backward.storage = Storage::kFloat, backward.layout = layout, backward.activation = given.activation;
  backward.x = x.data(), backward.grad = grad.data(), backward.slope = slope.data(), backward.partial = partial.data();
  backward.slope_grad = by_slope.data(), backward.constant = constant.data(), backward.linear = linear.data(), backward.x_grad = found_grad.data();
  table.backward(backward, nullptr);
  report.expect("output", "PReLU alone", widened(found), y, 1e-6);
  report.expect("gradient of x", "PReLU alone", widened(found_grad), x_grad, 1e-6);
  report.expect("gradient of the slope", "PReLU alone", widened(by_slope), slope_grad, 1e-5);
}

}  // namespace

void check_batch_norm(Report& report) {
  check_activation_alone(report);
  for (const Activation activation : {Activation::kNone, Activation::kPRelu, Activation::kRelu, Activation::kRelu6, Activation::kSigmoid, Activation::kSilu, Activation::kHardSwish}) {
    check_case<double>(report, {33, 6, activation, true, true, true, false}, 1e-10);
  }
  for (const auto& [rows, channels] : {std::pair<int64_t, int64_t>{50, 3}, {300, 8}, {20, 300}, {513, 1}}) {
    check_case<float>(report, {rows, channels, Activation::kPRelu, true, true, true, channels == 8}, 1e-5);
    check_case<float>(report, {rows, channels, Activation::kNone, false, false, true, false}, 1e-5);
  }
  check_case<float>(report, {40, 8, Activation::kRelu, false, true, false, false}, 1e-5);
  check_case<double>(report, {40, 5, Activation::kPRelu, true, true, false, false}, 1e-10);
  check_case<__nv_bfloat16>(report, {70, 24, Activation::kPRelu, true, true, true, false}, 1e-2);
  check_case<__nv_bfloat16>(report, {9, 1024, Activation::kNone, false, true, true, false}, 1e-2);
  check_case<__half>(report, {90, 16, Activation::kRelu, true, true, true, false}, 2e-3);
  check_case<__half>(report, {30, 7, Activation::kPRelu, false, true, true, true}, 2e-3);
}

void check_pixels(Report& report) {
  std::vector<uint8_t> bytes(5000);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(generator()());
  std::vector<float> found(bytes.size());
  static_cast<const PixelTable*>(facex_cuda_pixels())->normalise(bytes.data(), found.data(), Storage::kFloat, static_cast<int64_t>(bytes.size()), 127.5, 1 / 128.0, 3, nullptr);
  Values wanted;
  for (const uint8_t byte : bytes) wanted.push_back((byte - 127.5) / 128);
  report.expect("values", "pixels", widened(found), wanted, 1e-7);
}

}  // namespace facex::emulated
