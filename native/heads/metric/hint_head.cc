#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "heads/metric/metric_heads.h"
#include "heads/options.h"
#include "heads/random.h"

namespace facex::heads::metric {

namespace {

class HintHead final : public Head {
 public:
  explicit HintHead(const HeadOptions& options) : options_(options), teacher_dim_(static_cast<int64_t>(number(options, "teacher_dim"))) {
    if (options.feat_dim == teacher_dim_) return;
    const auto like = at::TensorOptions().dtype(options.dtype).device(options.device);
    state_.add("projection.weight", EntryKind::kParameter, at::zeros({teacher_dim_, options.feat_dim}, like));
    state_.add("projection.bias", EntryKind::kParameter, at::zeros({teacher_dim_}, like));
  }

  State& state() override { return state_; }

  void initialise(uint64_t seed) override {
    const double bound = 1 / std::sqrt(static_cast<double>(options_.feat_dim));
    for (Entry& entry : state_.entries()) {
      entry.value.copy_(at::zeros(entry.value.sizes(), at::kDouble).uniform_(-bound, bound, named_generator(seed, entry.name)));
      ++entry.version;
    }
  }

  HeadResult run(const HeadRequest& request) override {
    const at::NoGradGuard no_grad;
    const Tensor &features = request.embeddings, &wanted = request.gallery;
    const Tensor rows = rows_of(features, options_.feat_dim), target = rows_of(wanted, teacher_dim_);
    if (rows.size(0) != target.size(0)) {
      fail(ErrorCode::kConfig, "head ", options_.name, ": expected features of student and teacher in the same places, got ", features.sizes(), " and ", wanted.sizes());
    }
    Entry *weight = state_.find("projection.weight"), *bias = state_.find("projection.bias");
    const Tensor projected = weight == nullptr ? rows : at::addmm(bias->value, rows, weight->value.t());
    const Tensor difference = projected - target;
    const double share = 1 / static_cast<double>(difference.numel());

    HeadResult result;
    result.loss = share * difference.square().sum();
    if (request.logits) result.logits = projected;
    if (!request.gradients) return result;
    Tensor grad = 2 * request.grad_scale * share * difference;
    if (weight != nullptr) {
      accumulate_grad(*weight, grad.t().mm(rows));
      accumulate_grad(*bias, grad.sum(0));
      grad = grad.mm(weight->value);
    }
    result.grad_embeddings = shaped_as(grad, features);
    return result;
  }

 private:
  // Channels of every place: [.., C] or [N, C, H, W] as rows [M, C].
  Tensor rows_of(const Tensor& features, int64_t channels) const {
    if (!features.defined()) fail(ErrorCode::kConfig, "head ", options_.name, ": expected features of a teacher, got none");
    const Tensor last = features.dim() == 4 ? features.permute({0, 2, 3, 1}) : features;
    if (features.dim() < 2 || last.size(-1) != channels) {
      fail(ErrorCode::kConfig, "head ", options_.name, ": expected features with ", channels, " channels, got ", features.sizes());
    }
    return last.reshape({-1, channels}).to(options_.dtype);
  }

  static Tensor shaped_as(const Tensor& rows, const Tensor& features) {
    if (features.dim() != 4) return rows.reshape(features.sizes());
    return rows.reshape({features.size(0), features.size(2), features.size(3), features.size(1)}).permute({0, 3, 1, 2});
  }

  const HeadOptions options_;
  const int64_t teacher_dim_;
  State state_;
};

}  // namespace

std::unique_ptr<Head> hint_head(const Definition&, const HeadOptions& options) { return std::make_unique<HintHead>(options); }

}  // namespace facex::heads::metric
