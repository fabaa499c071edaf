// Batch norm, alone or with the activation and the shortcut around it: act(batch_norm(x) + shortcut).
//
// Nothing between x and the result is stored: backward computes the argument of the activation again from x. Statistics
// and coefficients are float32 (float64 for float64 values) whatever the values are. With several processes they may be
// those of all their images together: moments are gathered forward, two sums a channel are reduced backward.
#include <ATen/TensorOperators.h>
#include <ATen/ops/native_batch_norm.h>
#include <ATen/ops/native_batch_norm_backward.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>

#include "core/collective.h"
#include "core/error.h"
#include "engine/kernels/affine_act.h"
#include "engine/kernels/cuda/batch_norm.h"
#include "engine/ops/activate.h"
#include "engine/ops/ops.h"

namespace facex::engine {

namespace {

using kernels::Affine;

class BatchNorm final : public Op {
 public:
  BatchNorm(const Attributes& attrs, Activation activation)
      : eps_(attrs.number("eps")), momentum_(attrs.number("momentum")), activation_(activation) {}

  Tensor forward(Forward& pass) const override {
    const Tensor& x = pass.input();
    const bool batch = pass.mode.batch_statistics;
    const bool alone = pass.mode.statistics == nullptr || pass.mode.statistics->size() == 1;
    if (batch && alone && x.numel() == x.size(1)) {
      fail(ErrorCode::kConfig, pass.node.path, ": batch statistics need more than one value a channel; use a batch of 2 or more");
    }
    if (batch && pass.mode.statistics != nullptr && !kernels::affine_act_takes(x)) {
      fail(ErrorCode::kConfig, pass.node.path, ": synchronised batch norm exists for float32, float64 and bfloat16 on the CPU; set sync_batch_norm: false");
    }
    if (on_cuda(pass.params, x)) return forward_cuda(pass);
    if (batch) count_batch(pass.params);
    return kernels::affine_act_takes(x) ? forward_fused(pass) : forward_composed(pass);
  }

  Tensor again(const Again& pass) const override {
    const Tensor& x = pass.inputs[0];
    if (on_cuda(pass.params, x)) return activated_argument(pass, pass.kept[0][0], pass.kept[0][1]);
    if (!kernels::affine_act_takes(x)) return activated_argument(pass, pass.kept[0], pass.kept[1]);
    return kernels::affine_act(x, shortcut(pass.inputs), affine(pass.params, pass.kept[0], pass.kept[1]), /*in_place=*/false);
  }

  void backward(Backward& pass) const override {
    if (on_cuda(pass.params, pass.input())) {
      backward_cuda(pass);
    } else if (kernels::affine_act_takes(pass.input())) {
      backward_fused(pass);
    } else {
      backward_composed(pass);
    }
  }

 private:
  Tensor forward_fused(Forward& pass) const {
    NodeParameters& params = pass.params;
    const Tensor& x = pass.input();
    kernels::ChannelMoments moments;
    if (pass.mode.batch_statistics) {
      moments = of_all_ranks(kernels::channel_moments(x), pass.mode);
      update_running(params, moments, count_of(x, pass.mode));
    } else {
      const auto wide = kernels::wide_type(x.scalar_type());
      moments = {params.master("running_mean").to(wide), params.master("running_var").to(wide)};
    }
    const Tensor inverse_std = moments.variance.add(eps_).rsqrt_();
    pass.kept = {moments.mean, inverse_std};
    return kernels::affine_act(x, shortcut(pass.inputs), affine(params, moments.mean, inverse_std), pass.owns_input());
  }

  void backward_fused(Backward& pass) const {
    NodeParameters& params = pass.params;
    const Tensor& x = pass.input();
    const Tensor& inverse_std = pass.kept[1];
    const Affine coefficients = affine(params, pass.kept[0], inverse_std);
    // Without an activation the shortcut does not matter to the derivative and receives the gradient as it is.
    const bool bends = activation_ != Activation::kNone;
    const bool to_shortcut = pass.inputs.size() > 1 && pass.wanted[1];
    const Tensor residual = bends ? shortcut(pass.inputs) : Tensor();
    const auto sums = kernels::affine_act_sums(x, residual, coefficients, pass.grad);
    if (params.wants_grad("weight")) params.add_grad("weight", sums.dz_distance.mul(inverse_std));
    if (params.wants_grad("slope")) add_slope_grad(params, sums.slope);

    Tensor constant, linear;
    if (pass.mode.batch_statistics) {
      const double count = static_cast<double>(count_of(x, pass.mode));
      const Tensor all = at::stack({sums.dz, sums.dz_distance});
      if (pass.mode.statistics != nullptr) pass.mode.statistics->all_reduce(all, Reduction::kSum);
      constant = all[0].mul(coefficients.scale).div_(-count);
      linear = all[1].mul(inverse_std).mul_(inverse_std).mul_(coefficients.scale).div_(-count);
    } else {
      constant = linear = at::zeros_like(inverse_std);
    }
    if (params.wants_grad("bias")) params.add_grad("bias", sums.dz);
    if (!pass.wanted[0] && !to_shortcut) return;
    Tensor shortcut_grad = to_shortcut && !bends ? pass.grad : Tensor();
    const bool in_place = pass.owns_grad();
    pass.input_grads[0] = kernels::affine_act_backward(x, residual, coefficients, pass.grad, constant, linear, in_place,
                                                       to_shortcut && bends ? &shortcut_grad : nullptr);
    if (to_shortcut) pass.input_grads[1] = shortcut_grad;
  }

  Tensor forward_cuda(Forward& pass) const {
    auto [y, statistics] = kernels::cuda::batch_norm(pass.input(), shortcut(pass.inputs), layer(pass.params, pass.mode));
    if (pass.mode.batch_statistics) buffers_written(pass.params);
    pass.kept = {statistics};
    return y;
  }

  void backward_cuda(Backward& pass) const {
    NodeParameters& params = pass.params;
    // Without an activation the shortcut does not matter to the derivative and receives the gradient as it is.
    const bool bends = activation_ != Activation::kNone;
    const bool to_shortcut = pass.inputs.size() > 1 && pass.wanted[1];
    const Tensor shortcut_grad = to_shortcut && !bends ? pass.grad : Tensor();  // held here, so that it is not written over
    const auto grads = kernels::cuda::batch_norm_backward(pass.input(), bends ? shortcut(pass.inputs) : Tensor(), layer(params, pass.mode), pass.kept[0],
                                                            pass.grad, pass.wanted[0], to_shortcut && bends, pass.owns_grad());
    if (params.wants_grad("weight")) params.add_grad("weight", grads.weight);
    if (params.wants_grad("bias")) params.add_grad("bias", grads.bias);
    if (params.wants_grad("slope")) add_slope_grad(params, grads.slope);
    pass.input_grads[0] = grads.x;
    if (to_shortcut) pass.input_grads[1] = bends ? grads.residual : shortcut_grad;
  }

  static bool on_cuda(NodeParameters& params, const Tensor& x) {
    return kernels::cuda::batch_norm_takes(x) && params.master("running_mean").scalar_type() == kernels::wide_type(x.scalar_type());
  }

  kernels::cuda::BatchNormLayer layer(NodeParameters& params, const PassMode& mode) const {
    return {.weight = params.master("weight"),
            .bias = params.master("bias"),
            .slope = params.master("slope"),
            .running_mean = params.master("running_mean"),
            .running_var = params.master("running_var"),
            .batches = params.master("num_batches_tracked"),
            .activation = activation_,
            .eps = eps_,
            .momentum = momentum_,
            .batch_statistics = mode.batch_statistics};
  }

  Tensor forward_composed(Forward& pass) const {
    NodeParameters& params = pass.params;
    auto [z, mean, inverse_std] = at::native_batch_norm(pass.input(), params.master("weight"), params.master("bias"), params.master("running_mean"),
                                                        params.master("running_var"), pass.mode.batch_statistics, momentum_, eps_);
    if (!pass.mode.batch_statistics) {
      mean = params.master("running_mean");
      inverse_std = params.master("running_var").add(eps_).rsqrt_();
    }
    pass.kept = {mean, inverse_std};
    const Tensor residual = shortcut(pass.inputs);
    return activate(activation_, residual.defined() ? z.add_(residual) : z, params.compute("slope"));
  }

  void backward_composed(Backward& pass) const {
    NodeParameters& params = pass.params;
    const Tensor& x = pass.input();
    Tensor dz = pass.grad;
    if (activation_ != Activation::kNone) {
      Tensor slope_grad;
      dz = activate_backward(activation_, pass.grad, argument(params, pass.inputs, pass.kept[0], pass.kept[1]), params.compute("slope"), &slope_grad);
      if (params.wants_grad("slope")) params.add_grad("slope", slope_grad);
    }
    if (pass.inputs.size() > 1 && pass.wanted[1]) pass.input_grads[1] = dz;
    const std::array<bool, 3> mask = {pass.wanted[0], params.wants_grad("weight"), params.wants_grad("bias")};
    auto [grad, weight_grad, bias_grad] = at::native_batch_norm_backward(
        dz, x, params.master("weight"), params.master("running_mean"), params.master("running_var"), pass.kept[0], pass.kept[1],
        pass.mode.batch_statistics, eps_, mask);
    if (mask[0]) pass.input_grads[0] = grad;
    if (mask[1]) params.add_grad("weight", weight_grad);
    if (mask[2]) params.add_grad("bias", bias_grad);
  }

  // What the activation is applied to.
  Tensor argument(NodeParameters& params, const std::vector<Tensor>& inputs, const Tensor& mean, const Tensor& inverse_std) const {
    const Tensor& x = inputs[0];
    const Affine coefficients = affine(params, mean, inverse_std);
    const std::vector<int64_t> sizes = x.dim() == 4 ? std::vector<int64_t>{1, -1, 1, 1} : std::vector<int64_t>{1, -1};
    Tensor z = x.sub(coefficients.mean.view(sizes)).mul_(coefficients.scale.view(sizes)).add_(coefficients.shift.view(sizes));
    if (inputs.size() > 1) z = z.add_(inputs[1]);
    return z.to(x.scalar_type());
  }

  Tensor activated_argument(const Again& pass, const Tensor& mean, const Tensor& inverse_std) const {
    return activate(activation_, argument(pass.params, pass.inputs, mean, inverse_std), pass.params.compute("slope"));
  }

  // Values a channel that the statistics are made of.
  static int64_t count_of(const Tensor& x, const PassMode& mode) {
    return x.numel() / x.size(1) * (mode.statistics == nullptr ? 1 : mode.statistics->size());
  }

  // Moments of equally many values on each rank, as those of all values.
  static kernels::ChannelMoments of_all_ranks(const kernels::ChannelMoments& own, const PassMode& mode) {
    if (mode.statistics == nullptr) return own;
    const Tensor all = mode.statistics->all_gather(at::stack({own.mean, own.variance}).unsqueeze(0)).to(at::kDouble);
    const Tensor means = all.select(1, 0), mean = means.mean(0);
    const Tensor variance = all.select(1, 1).add((means - mean).square()).mean(0);
    return {mean.to(own.mean.scalar_type()), variance.to(own.mean.scalar_type())};
  }

  static Tensor shortcut(const std::vector<Tensor>& inputs) { return inputs.size() > 1 ? inputs[1] : Tensor(); }

  Affine affine(NodeParameters& params, const Tensor& mean, const Tensor& inverse_std) const {
    const auto wide = mean.scalar_type();
    Affine result{.mean = mean, .scale = inverse_std, .shift = {}, .slope = {}, .activation = activation_};
    if (params.has("weight")) result.scale = params.master("weight").to(wide).mul(inverse_std);
    result.shift = params.has("bias") ? params.master("bias").to(wide) : at::zeros_like(mean);
    if (params.has("slope")) result.slope = params.master("slope").to(wide).expand_as(mean).contiguous();
    return result;
  }

  // running = (1 - momentum) * running + momentum * batch, with the unbiased variance.
  void update_running(NodeParameters& params, const kernels::ChannelMoments& moments, int64_t count) const {
    const double unbiased = static_cast<double>(count) / static_cast<double>(count - 1);
    for (const auto& [role, batch] : {std::pair("running_mean", moments.mean), std::pair("running_var", moments.variance.mul(unbiased))}) {
      const Tensor running = params.master(role);
      running.mul_(1 - momentum_).add_(batch, momentum_);
    }
  }

  static void count_batch(NodeParameters& params) {
    params.master("num_batches_tracked").add_(1);
    buffers_written(params);
  }

  static void buffers_written(NodeParameters& params) {
    for (const char* role : {"running_mean", "running_var", "num_batches_tracked"}) params.written(role);
  }

  static void add_slope_grad(NodeParameters& params, const Tensor& grad) {
    const bool shared = params.master("slope").numel() == 1;
    params.add_grad("slope", shared ? grad.sum().view({1}) : grad);
  }

  double eps_, momentum_;
  Activation activation_;
};

}  // namespace

std::unique_ptr<Op> make_batch_norm(const Node& node) { return std::make_unique<BatchNorm>(Attributes(node), Activation::kNone); }

std::unique_ptr<Op> make_batch_norm_act(const Node& node) { return std::make_unique<BatchNorm>(Attributes(node), fused_activation(node)); }

}  // namespace facex::engine
