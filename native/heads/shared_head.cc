#include "heads/shared_head.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include <utility>
#include <vector>

#include "heads/definition.h"

namespace facex::heads {

namespace {

class SharedHead final : public Head {
 public:
  // `options` and `inner` are those of this rank.
  SharedHead(const HeadOptions& options, std::shared_ptr<Collective> group, std::unique_ptr<Head> inner)
      : options_(options), group_(std::move(group)), inner_(std::move(inner)) {
    if (!shares_classes()) return;
    whole_ = options_;
    whole_.num_class = options_.share.total;
    whole_.share = {};
    for (const ClassEntry& entry : class_entries(options_)) {
      parts_[entry.name] = {.dim = entry.dim, .begin = options_.share.first, .whole = options_.share.total, .width = entry.width};
    }
  }

  State& state() override { return inner_->state(); }
  void initialise(uint64_t seed) override { inner_->initialise(seed); }

  Part part(const std::string& entry) const override {
    const auto found = parts_.find(entry);
    return found == parts_.end() ? Part{} : found->second;
  }

  HeadResult run(const HeadRequest& request) override {
    const at::NoGradGuard no_grad;
    if (is_mean_of_rows(options_.name)) return run_own_rows(request);
    HeadRequest whole = request;
    whole.embeddings = group_->all_gather(request.embeddings);
    whole.labels = group_->all_gather(request.labels);
    if (shares_classes()) {
      check_request(whole, whole_);  // while labels still have their own numbers
      whole.labels = local(whole.labels);
    }
    if (request.gallery.defined()) whole.gallery = group_->all_gather(request.gallery);
    HeadResult result = inner_->run(whole);
    if (!result.grad_embeddings.defined()) return result;
    if (shares_classes()) {
      result.grad_embeddings = group_->reduce_scatter(result.grad_embeddings);
    } else {
      const int64_t rows = request.embeddings.size(0);
      result.grad_embeddings = result.grad_embeddings.narrow(0, rows * group_->rank(), rows).clone();
    }
    return result;
  }

  void enqueue(const Tensor& features, const Tensor& labels) override {
    inner_->enqueue(group_->all_gather(features), group_->all_gather(labels));
  }

 private:
  bool shares_classes() const { return options_.share.group != nullptr; }

  // The mean over all rows is that of the means of the ranks.
  HeadResult run_own_rows(const HeadRequest& request) {
    const double share = 1 / static_cast<double>(group_->size());
    HeadRequest own = request;
    own.grad_scale *= share;
    std::vector<Tensor> earlier;  // gradients of all ranks, from other losses of this step
    for (Entry& entry : state().entries()) earlier.push_back(std::exchange(entry.grad, {}));
    HeadResult result = inner_->run(own);
    for (size_t i = 0; i < earlier.size(); ++i) {
      Tensor& grad = state().entries()[i].grad;
      if (grad.defined()) {
        grad = grad.contiguous();
        group_->all_reduce(grad, Reduction::kSum);
      }
      if (earlier[i].defined()) grad = grad.defined() ? grad + earlier[i] : earlier[i];
    }
    result.loss = result.loss * share;
    group_->all_reduce(result.loss.view({1}), Reduction::kSum);
    return result;
  }

  // Labels by the classes of this rank, -1 for those of others.
  Tensor local(const Tensor& labels) const {
    const int64_t first = options_.share.first, end = first + options_.num_class;
    return (labels - first).masked_fill((labels < first) | (labels >= end), -1);
  }

  const HeadOptions options_;
  HeadOptions whole_;  // as one process would have them, where classes are shared
  const std::shared_ptr<Collective> group_;
  const std::unique_ptr<Head> inner_;
  std::map<std::string, Part> parts_;
};

}  // namespace

std::unique_ptr<Head> make_shared_head(const HeadOptions& options, const std::shared_ptr<Collective>& group, bool reference) {
  HeadOptions own = options;
  if (!class_entries(options).empty()) {
    if (options.num_class < group->size()) {
      fail(ErrorCode::kConfig, "head ", options.name, ": expected at least as many identities as processes, got ", options.num_class, " for ", group->size());
    }
    const Share share(options.num_class, group->rank(), group->size());
    own.num_class = share.count;
    own.share = {group, share.begin, options.num_class};
  }
  return std::make_unique<SharedHead>(own, group, reference ? make_reference_head(own) : make_head(own));
}

}  // namespace facex::heads
