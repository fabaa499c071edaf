// The state of a prototype head (semi-siamese training, arXiv:2007.08398): a ring of class prototypes instead of
// trained class centres. Each slot holds a unit feature of the gallery network and the identity that it shows.
//
// A run lays the gallery of its batch over the next slots, scores embeddings against all slots and takes it away again;
// enqueue() then keeps one gallery there and moves on. A slot that shows the same identity as a row, but is not the
// row's own, takes no part in that row's softmax: it is no negative.
#pragma once

#include "core/state.h"
#include "heads/definition.h"

namespace facex::heads {

class PrototypeQueue {
 public:
  // Entries: `queue` [D, Q] unit columns; `index` [1], the next slot; `label_list` [Q], identities, -1 where none.
  PrototypeQueue(const Definition& definition, const HeadOptions& options);

  State& state() { return state_; }
  void initialise(uint64_t seed);
  void enqueue(const Tensor& features, const Tensor& labels);

  // ErrorCode::kNative or kConfig when request or batch size do not fit the queue.
  void check(const HeadRequest& request) const;

  // Slots [n] of the next n features.
  Tensor next_slots(int64_t n) const;

  // All prototypes [Q, D] with the unit rows of `gallery` laid over `slots`.
  Tensor prototypes(const Tensor& gallery, const Tensor& slots) const;

  // [N, Q], true where the slot shows the row's identity in another place than the row's own slot.
  Tensor mask(const Tensor& labels, const Tensor& slots) const;

 private:
  const Definition& definition_;
  const HeadOptions options_;
  State state_;
};

}  // namespace facex::heads
