#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linalg_vector_norm.h>

#include "heads/metric/metric_heads.h"
#include "heads/options.h"

namespace facex::heads::metric {

namespace {

class DistillationHead final : public Head {
 public:
  explicit DistillationHead(const HeadOptions& options) : options_(options), cosine_(choice(options, "distance") == "cosine") {}

  State& state() override { return state_; }
  void initialise(uint64_t) override {}

  HeadResult run(const HeadRequest& request) override {
    const at::NoGradGuard no_grad;
    if (!request.gallery.defined() || request.gallery.sizes() != request.embeddings.sizes()) {
      fail(ErrorCode::kConfig, "head ", options_.name, ": expected embeddings of student and teacher of one size, got ", request.embeddings.sizes(), " and ",
           request.gallery.defined() ? request.gallery.sizes() : at::IntArrayRef());
    }
    const Tensor student = request.embeddings.to(options_.dtype), teacher = request.gallery.to(options_.dtype);
    const double share = 1 / static_cast<double>(cosine_ ? student.size(0) : student.numel());
    HeadResult result;
    if (cosine_) {
      const Tensor norms = length(student), unit = student / norms, wanted = teacher / length(teacher);
      const Tensor cos = (unit * wanted).sum(1, /*keepdim=*/true);
      result.loss = share * (1 - cos).sum();
      if (request.gradients) result.grad_embeddings = request.grad_scale * share * (cos * unit - wanted) / norms;
    } else {
      const Tensor difference = student - teacher;
      result.loss = share * difference.square().sum();
      if (request.gradients) result.grad_embeddings = 2 * request.grad_scale * share * difference;
    }
    if (request.logits) result.logits = student;
    return result;
  }

 private:
  static Tensor length(const Tensor& rows) { return at::linalg_vector_norm(rows, 2, {1}, /*keepdim=*/true).clamp_min(1e-12); }

  const HeadOptions options_;
  const bool cosine_;
  State state_;
};

}  // namespace

std::unique_ptr<Head> distillation_head(const Definition&, const HeadOptions& options) { return std::make_unique<DistillationHead>(options); }

}  // namespace facex::heads::metric
