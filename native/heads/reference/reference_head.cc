#include "heads/reference/reference_head.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>

namespace facex::heads::reference {

HeadResult ReferenceHead::run(const HeadRequest& request) {
  check_request(request, options_);
  const at::AutoGradMode gradients(request.gradients);

  std::map<std::string, Tensor> leaves;
  for (const Entry& entry : state_.entries()) {
    if (entry.kind == EntryKind::kParameter) leaves.emplace(entry.name, entry.value.detach().requires_grad_());
  }
  const Tensor embeddings = request.embeddings.detach().to(options_.dtype).requires_grad_();
  const Tensor labels = request.labels.to(options_.device);
  const Tensor centres = centre_rows(leaves.at(definition_.centres.name), definition_.centres.shape);

  const Logits output = form_({options_, embeddings, labels, centres, leaves, state_, request.adapt});
  Tensor loss = at::cross_entropy_loss(output.logits, labels);
  if (output.regulariser.defined()) loss = loss + output.regulariser;

  HeadResult result;
  result.loss = loss.detach();
  if (output.regulariser.defined()) result.extra_loss = output.regulariser.detach();
  if (request.logits) result.logits = output.logits.detach();
  if (request.gradients) {
    (loss * request.grad_scale).backward();
    result.grad_embeddings = embeddings.grad();
    for (Entry& entry : state_.entries()) {
      if (entry.kind == EntryKind::kParameter) accumulate_grad(entry, leaves.at(entry.name).grad());
    }
  }
  return result;
}

}  // namespace facex::heads::reference
