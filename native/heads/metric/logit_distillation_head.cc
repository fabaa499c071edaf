#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>

#include "heads/metric/metric_heads.h"
#include "heads/options.h"

namespace facex::heads::metric {

namespace {

constexpr const char* kTeacher = "teacher";  // class centres of the teacher's head

Tensor unit(const Tensor& rows) { return rows / at::linalg_vector_norm(rows, 2, {1}, /*keepdim=*/true).clamp_min(1e-12); }

class LogitDistillationHead final : public Head {
 public:
  explicit LogitDistillationHead(const HeadOptions& options)
      : options_(options),
        student_(centres_of(choice(options, "student_head"))),
        teacher_(centres_of(choice(options, "teacher_head"))),
        temperature_(number(options, "temperature")),
        factor_(number(options, "scale") / temperature_) {
    const Tensor rows = at::zeros({options.num_class, static_cast<int64_t>(number(options, "teacher_dim"))},
                                  at::TensorOptions().dtype(options.dtype).device(options.device));
    state_.add(kTeacher, EntryKind::kBuffer, teacher_.shape == CentreShape::kColumns ? rows.t() : rows);
  }

  State& state() override { return state_; }
  void initialise(uint64_t) override {}

  HeadResult run(const HeadRequest& request) override {
    Entry* entry = request.centres == nullptr ? nullptr : request.centres->find(student_.name);
    if (entry == nullptr || !request.gallery.defined()) {
      fail(ErrorCode::kConfig, "head ", options_.name, ": expected embeddings of a teacher and the class centres of a head ", choice(options_, "student_head"));
    }
    if (entry->value.device() != request.embeddings.device()) {
      fail(ErrorCode::kConfig, "head ", options_.name, ": expected class centres on the device of the run; leave centres out of head ", choice(options_, "student_head"));
    }
    const Tensor teacher = centre_rows(state_.find(kTeacher)->value, teacher_.shape);
    const Tensor wanted = log_probabilities(unit(request.gallery.to(options_.dtype)).mm(unit(teacher).t()));

    const at::AutoGradMode gradients(request.gradients);
    const Tensor embeddings = request.embeddings.detach().to(options_.dtype).requires_grad_();
    const Tensor centres = centre_rows(entry->value, student_.shape).detach().requires_grad_();
    const Tensor cosines = unit(embeddings).mm(unit(centres).t());
    const Tensor found = log_probabilities(cosines.detach());
    const double share = temperature_ * temperature_ / static_cast<double>(embeddings.size(0));

    HeadResult result;
    result.loss = sum_over_ranks(share * (wanted.exp() * (wanted - found)).sum());
    if (request.logits) result.logits = found;
    if (request.gradients) {
      cosines.backward(request.grad_scale * share * factor_ * (found.exp() - wanted.exp()));
      result.grad_embeddings = embeddings.grad();
      accumulate_grad(*entry, student_.shape == CentreShape::kColumns ? centres.grad().t() : centres.grad());
    }
    return result;
  }

 private:
  // [N, K] from cosines [N, K]. Where the classes are shared, of those of this process, by maximum and sum over all ranks.
  Tensor log_probabilities(const Tensor& cosines) const {
    const Tensor logits = factor_ * cosines;
    if (!options_.share.group) return at::log_softmax(logits, 1);
    const Tensor top = at::amax(logits, {1}, /*keepdim=*/true);
    options_.share.group->all_reduce(top, Reduction::kMax);
    const Tensor shifted = logits - top;
    return shifted - sum_over_ranks(shifted.exp().sum(1, /*keepdim=*/true)).log();
  }

  // In place.
  Tensor sum_over_ranks(const Tensor& part) const {
    if (options_.share.group) options_.share.group->all_reduce(part.view({-1}), Reduction::kSum);
    return part;
  }

  const HeadOptions options_;
  const CentreSpec &student_, &teacher_;
  const double temperature_, factor_;
  State state_;
};

}  // namespace

std::unique_ptr<Head> logit_distillation_head(const Definition&, const HeadOptions& options) {
  return std::make_unique<LogitDistillationHead>(options);
}

std::vector<ClassEntry> teacher_entries(const HeadOptions& options) {
  return {{kTeacher, centres_of(choice(options, "teacher_head")).shape == CentreShape::kColumns ? 1 : 0, 1}};
}

}  // namespace facex::heads::metric
