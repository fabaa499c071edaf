#include "heads/reference/reference_head.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

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
  const OwnClasses classes = options_.share.group ? OwnClasses(labels, *options_.share.group) : OwnClasses(labels);
  const Tensor centres = centre_rows(leaves.at(definition_.centres.name), definition_.centres.shape);

  const Logits output = form_({options_, embeddings, classes, centres, leaves, state_, request.adapt});
  const CrossEntropy entropy = cross_entropy(output.logits, classes);

  HeadResult result;
  result.loss = entropy.loss;
  if (output.regulariser.defined()) {
    result.extra_loss = classes.sum(output.regulariser);
    result.loss = result.loss + result.extra_loss;
  }
  if (request.logits) result.logits = output.logits.detach();
  if (request.gradients) {
    const bool shared = options_.share.group != nullptr;
    output.logits.backward(entropy.grad.mul_(request.grad_scale), /*retain_graph=*/shared || output.regulariser.defined());
    if (output.regulariser.defined()) (request.grad_scale * output.regulariser).backward({}, /*retain_graph=*/shared);
    classes.backward();
    result.grad_embeddings = embeddings.grad();
    for (Entry& entry : state_.entries()) {
      if (entry.kind == EntryKind::kParameter) accumulate_grad(entry, leaves.at(entry.name).grad());
    }
  }
  return result;
}

}  // namespace facex::heads::reference
