// Heads without class centres: losses over the embeddings of a batch, or between them and those of another network.
#pragma once

#include <memory>

#include "heads/definition.h"

namespace facex::heads::metric {

// Over the pairs of a batch; needs identities with several images in it.
std::unique_ptr<Head> contrastive_head(const Definition& definition, const HeadOptions& options);
std::unique_ptr<Head> triplet_head(const Definition& definition, const HeadOptions& options);

// Embeddings should become those of a teacher, which come as the request's gallery. Option `distance`: `cosine`, the
// mean over the rows of 1 - cos, or `l2`, the mean over all elements of the squared difference.
std::unique_ptr<Head> distillation_head(const Definition& definition, const HeadOptions& options);

}  // namespace facex::heads::metric
