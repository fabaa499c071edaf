// The class that each row of a batch shows, for heads by autograd; and, where the classes are shared between ranks, all
// that one rank must learn of the others'.
//
// [Note: cuts] An all-reduce has no place in a graph of autograd, whose backward runs when libtorch likes. So values that
// come from other ranks are leaves of this step's graph, and what they were made of is remembered: once the gradients of
// this rank's logits have come down to the leaves, backward() sums them over the ranks and goes on from there. Cosines are
// cut too, so that the products with the class centres see one backward and not two.
#pragma once

#include <vector>

#include "core/collective.h"
#include "core/tensor.h"

namespace facex::heads::reference {

class OwnClasses {
 public:
  // All classes are here.
  OwnClasses(Tensor index) : index_(std::move(index)) {}  // NOLINT: labels are own classes
  // `index` -1 where the class is on another rank.
  OwnClasses(Tensor index, Collective& group) : index_(std::move(index)), group_(&group) {}

  // [N], -1 where the class is on another rank.
  const Tensor& index() const { return index_; }

  // Entry of the own class, [N, 1], of values [N, K].
  Tensor pick(const Tensor& values) const;
  // `values` [N, K] with the entry of the own class replaced by `value` [N, 1].
  Tensor put(const Tensor& values, const Tensor& value) const;

  // The sum, or maximum, over the ranks, without a gradient.
  Tensor sum(const Tensor& part) const { return reduced(part, Reduction::kSum); }
  Tensor max(const Tensor& part) const { return reduced(part, Reduction::kMax); }

  // This rank's share of what all ranks compute alike, so that the sum over the ranks is one of it.
  double share() const { return group_ == nullptr ? 1 : 1.0 / group_->size(); }

  // A leaf with the value of `tensor`, which gets the leaf's gradient in backward(); `tensor` itself where nothing is
  // shared.
  Tensor cut(const Tensor& tensor) const { return group_ == nullptr ? tensor : cut(tensor, tensor.detach(), false); }

  // From the leaves on, last cut first; see [Note: cuts].
  void backward() const;

 private:
  struct Cut {
    Tensor before, leaf;
    bool summed;  // the leaf stands for the sum over the ranks
  };
  Tensor reduced(const Tensor& part, Reduction reduction) const;
  Tensor cut(const Tensor& before, const Tensor& value, bool summed) const;

  const Tensor index_;
  Collective* const group_ = nullptr;
  mutable std::vector<Cut> cuts_;
};

// Mean cross-entropy over the classes of all ranks, 0-d, and its gradient [N, K] by the logits [N, K] of this one.
struct CrossEntropy {
  Tensor loss, grad;
};
CrossEntropy cross_entropy(const Tensor& logits, const OwnClasses& classes);

}  // namespace facex::heads::reference
