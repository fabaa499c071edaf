// SST_Prototype (semi-siamese training, arXiv:2007.08398).
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>

#include <limits>

#include "heads/options.h"
#include "heads/prototype_queue.h"
#include "heads/reference/forms.h"

namespace facex::heads::reference {

namespace {

class PrototypeHead final : public Head {
 public:
  PrototypeHead(const Definition& definition, const HeadOptions& options) : options_(options), queue_(definition, options) {}

  State& state() override { return queue_.state(); }
  void initialise(uint64_t seed) override { queue_.initialise(seed); }
  void enqueue(const Tensor& features, const Tensor& labels) override { queue_.enqueue(features, labels); }

  HeadResult run(const HeadRequest& request) override {
    queue_.check(request);
    const at::AutoGradMode gradients(request.gradients);
    const Tensor slots = queue_.next_slots(request.embeddings.size(0));
    const Tensor embeddings = request.embeddings.detach().to(options_.dtype).requires_grad_();

    const Tensor cos = unit_rows(embeddings).mm(queue_.prototypes(request.gallery, slots).t()).clamp(-1, 1);
    const Tensor logits = number(options_, "scale") * with_own(cos, slots, margined(own(cos, slots)));
    const Tensor masked = logits.masked_fill(queue_.mask(request.labels, slots), -std::numeric_limits<double>::infinity());
    const Tensor loss = at::cross_entropy_loss(masked, slots);

    HeadResult result;
    result.loss = loss.detach();
    if (request.logits) result.logits = masked.detach();
    if (request.gradients) {
      (loss * request.grad_scale).backward();
      result.grad_embeddings = embeddings.grad();
    }
    return result;
  }

 private:
  Tensor margined(const Tensor& cos_y) const {
    const std::string& type = choice(options_, "loss_type");
    const double margin = number(options_, "margin");
    if (type == "softmax") return cos_y;
    if (type == "am_softmax") return cos_y - margin;
    return add_angle_guarded(cos_y, margin, margin * std::sin(margin));
  }

  const HeadOptions options_;
  PrototypeQueue queue_;
};

}  // namespace

std::unique_ptr<Head> sst_prototype(const Definition& definition, const HeadOptions& options) {
  return std::make_unique<PrototypeHead>(definition, options);
}

}  // namespace facex::heads::reference
