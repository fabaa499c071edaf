#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <set>

#include "heads/metric/metric_heads.h"
#include "heads/metric/pair_losses.h"

namespace facex::heads::metric {

namespace {

// Works in float64 on the CPU, whatever the embeddings are: N x N distances are few, and 2 - 2 cos loses digits.
class PairHead final : public Head {
 public:
  PairHead(const HeadOptions& options, PairLoss loss) : options_(options), loss_(loss) {
    const auto integers = at::TensorOptions().dtype(at::kLong);
    state_.add("stream", EntryKind::kBuffer, at::zeros({1}, integers));
    state_.add("step", EntryKind::kBuffer, at::zeros({1}, integers));
  }

  State& state() override { return state_; }

  void initialise(uint64_t seed) override {
    state_.find("stream")->value.fill_(static_cast<int64_t>(seed));
    state_.find("step")->value.zero_();
  }

  HeadResult run(const HeadRequest& request) override {
    const at::NoGradGuard no_grad;
    check_request(request, options_);
    const Tensor labels = request.labels.to(at::kCPU).contiguous();
    check_pairs(labels);
    const Tensor embeddings = request.embeddings.to(at::kCPU, at::kDouble);
    const Tensor norms = at::linalg_vector_norm(embeddings, 2, {1}, /*keepdim=*/true).clamp_min(1e-12), unit = embeddings / norms;
    const Tensor squared = (2 - 2 * unit.mm(unit.t())).clamp_min(0).contiguous();
    Tensor by_distance = at::zeros_like(squared);
    Random random = draw(request.adapt);
    const double loss = loss_(options_, {labels.size(0), labels.const_data_ptr<int64_t>(), squared.const_data_ptr<double>()}, random,
                              by_distance.mutable_data_ptr<double>());

    HeadResult result;
    const auto like = request.embeddings.options().dtype(options_.dtype);
    result.loss = at::scalar_tensor(loss, like);
    if (request.logits) result.logits = squared.to(like);
    if (request.gradients) {
      const Tensor by_unit = -2 * (by_distance + by_distance.t()).mm(unit);
      const Tensor along = (by_unit * unit).sum(1, /*keepdim=*/true) * unit;
      result.grad_embeddings = (request.grad_scale * (by_unit - along) / norms).to(like);
    }
    return result;
  }

 private:
  void check_pairs(const Tensor& labels) const {
    const int64_t* label = labels.const_data_ptr<int64_t>();
    const std::set<int64_t> identities(label, label + labels.size(0));
    if (identities.size() > 1 && static_cast<int64_t>(identities.size()) < labels.size(0)) return;
    fail(ErrorCode::kConfig, "head ", options_.name, ": expected batches with several identities and several images of one, got ",
         identities.size(), " identities in ", labels.size(0), " images; data.sampler p-k makes such batches");
  }

  // The stream of one step: the same after any resume.
  Random draw(bool adapt) {
    Entry& step = *state_.find("step");
    const int64_t now = step.value.item<int64_t>();
    if (adapt) {
      step.value.fill_(now + 1);
      ++step.version;
    }
    return Random(static_cast<uint64_t>(state_.find("stream")->value.item<int64_t>()), static_cast<uint64_t>(now));
  }

  const HeadOptions options_;
  const PairLoss loss_;
  State state_;
};

}  // namespace

std::unique_ptr<Head> contrastive_head(const Definition&, const HeadOptions& options) {
  return std::make_unique<PairHead>(options, contrastive);
}

std::unique_ptr<Head> triplet_head(const Definition&, const HeadOptions& options) {
  return std::make_unique<PairHead>(options, triplet);
}

}  // namespace facex::heads::metric
