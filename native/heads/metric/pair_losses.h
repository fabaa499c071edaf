// Losses over the distances inside a batch, with the miners that choose which pairs and triplets count. Distances are
// squared and between unit vectors: d = 2 - 2 cos, from 0 to 4.
#pragma once

#include <cstdint>

#include "core/random.h"
#include "heads/head.h"

namespace facex::heads::metric {

struct PairBatch {
  int64_t size;           // N
  const int64_t* labels;  // [N]
  const double* squared;  // [N, N] squared distances
  double squared_at(int64_t i, int64_t j) const { return squared[i * size + j]; }
};

// Mean over the chosen pairs or triplets, 0 when there are none. `grad` [N, N] is zero before and then its derivative by
// each squared distance. Beside that they take less memory than another [N, N] of float64, and what they choose does not
// depend on the number of threads.
using PairLoss = double (*)(const HeadOptions& options, const PairBatch& batch, Random& random, double* grad);

// Contrastive loss (Hadsell, Chopra, LeCun 2006): d for two images of one identity, max(0, margin - sqrt d)^2 for
// others. All pairs of one identity count; option `mining` says which others.
double contrastive(const HeadOptions& options, const PairBatch& batch, Random& random, double* grad);

// Triplet loss (Schroff et al., arXiv:1503.03832): max(0, d(anchor, positive) - d(anchor, negative) + margin). Each pair
// of an identity is anchor and positive once, in the order of the batch; option `mining` says which negatives. The mean
// is that of triplets above 0.
double triplet(const HeadOptions& options, const PairBatch& batch, Random& random, double* grad);

}  // namespace facex::heads::metric
