// SST_Prototype (semi-siamese training, arXiv:2007.08398): softmax over a queue of gallery features.
//   logit_y = s cos_y  (loss_type softmax),  s (cos_y - m)  (am_softmax)  or  s cos(theta_y + m)  (arc_softmax, with
//   s (cos_y - m sin m) where theta_y + m would exceed pi);  logit_j = s cos_j over the slots of other identities
// The gradient is that of the embeddings; prototypes are constant. At cos_y = ±1 see [Note: the sine at cos = ±1].
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scalar_tensor.h>

#include <limits>

#include "heads/fused/geometry.h"
#include "heads/fused/margin_softmax.h"
#include "heads/fused/policies.h"
#include "heads/options.h"
#include "heads/prototype_queue.h"

namespace facex::heads::fused {

namespace {

template <typename T>
struct PrototypeMargin : Margin<T> {
  const bool on_angle;
  const T margin, cos_m, sin_m;

  explicit PrototypeMargin(const HeadOptions& options)
      : on_angle(choice(options, "loss_type") == "arc_softmax"),
        margin(choice(options, "loss_type") == "softmax" ? 0 : number(options, "margin")),
        cos_m(std::cos(margin)), sin_m(std::sin(margin)) {
    this->scale = number(options, "scale");
  }

  TargetLogit<T> target(const Row<T>& row) const {
    const TargetLogit<T> logit = on_angle ? add_angle_guarded(row.cosine, cos_m, sin_m, margin * sin_m) : TargetLogit<T>{row.cosine - margin, T(1)};
    return scaled(logit, this->scale);
  }
};

template <typename T>
class PrototypeHead final : public Head {
 public:
  PrototypeHead(const Definition& definition, const HeadOptions& options) : queue_(definition, options), margin_(options) {}

  State& state() override { return queue_.state(); }
  void initialise(uint64_t seed) override { queue_.initialise(seed); }
  void enqueue(const Tensor& features, const Tensor& labels) override { queue_.enqueue(features, labels); }

  HeadResult run(const HeadRequest& request) override {
    const at::NoGradGuard no_grad;
    queue_.check(request);
    const int64_t n = request.embeddings.size(0);
    const Tensor slots = queue_.next_slots(n), prototypes = queue_.prototypes(request.gallery, slots);

    std::vector<Row<T>> rows(n);
    const Tensor unit = normalise(request.embeddings.to(prototypes.dtype()).contiguous(), true, rows);
    Tensor products = unit.mm(prototypes.t());
    products.masked_fill_(queue_.mask(request.labels, slots), -std::numeric_limits<double>::infinity());
    const Tensor ones = at::ones({prototypes.size(0)}, prototypes.options());
    const Cosines<T> cosines{products.mutable_data_ptr<T>(), n, prototypes.size(0), 1, ones.const_data_ptr<T>(), /*spherical=*/false};
    for (Row<T>& row : rows) {
      row.label = row.position = slots.const_data_ptr<int64_t>()[row.index];
      row.cosine = std::clamp(cosines.at(row.index, row.position), T(-1), T(1));
    }

    HeadResult result;
    if (request.logits) result.logits = at::empty_like(products);
    Step<T> step{rows, cosines, queue_.state(), static_cast<T>(request.grad_scale), request.adapt, request.gradients, prototypes.size(0)};
    margin_softmax(margin_, step, request.logits ? result.logits.template mutable_data_ptr<T>() : nullptr);
    result.loss = at::scalar_tensor(mean_loss(rows), prototypes.options());
    if (request.gradients) result.grad_embeddings = embedding_gradient(products.mm(prototypes), unit, true, rows);
    return result;
  }

 private:
  PrototypeQueue queue_;
  const PrototypeMargin<T> margin_;
};

}  // namespace

std::unique_ptr<Head> sst_prototype(const Definition& definition, const HeadOptions& options) {
  if (!options.device.is_cpu()) return definition.reference(definition, options);
  if (options.dtype == at::kDouble) return std::make_unique<PrototypeHead<double>>(definition, options);
  return std::make_unique<PrototypeHead<float>>(definition, options);
}

}  // namespace facex::heads::fused
