// A head in data parallel training: it scores the whole batch, of which every rank has embedded its own rows.
//
// Embeddings, labels and gallery are gathered. Heads with class centres then share the classes: each rank holds and
// scores its own, [N, K / ranks], and of the others learns a few numbers a row (the cosine to the own class, maximum and
// sum of the softmax). Losses and adaptive state come out the same on all ranks, and each receives the gradient of its
// own rows. Heads whose rows do not see each other (distillation) score their own rows. Other heads without class centres do
// the same work on every rank.
#pragma once

#include "heads/head.h"

namespace facex::heads {

// `options` are those of the whole head; `reference` for its differentiable form. kConfig when there are fewer classes than
// ranks.
std::unique_ptr<Head> make_shared_head(const HeadOptions& options, const std::shared_ptr<Collective>& group, bool reference = false);

}  // namespace facex::heads
