// The k most similar gallery rows of every probe, by cosine: GEMM over tiles of gallery rows, and a heap of k entries a
// probe. The gallery comes in pieces of any size and is never held: memory is probes x (D + k) and one tile.
#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor.h"

namespace facex::search {

struct Hit {
  float score;
  int64_t row;  // of the gallery
};

class TopK {
 public:
  // probes: float32 [P, D]; rows are brought to unit length here. Throws kNonFinite for a row without direction.
  TopK(const Tensor& probes, int64_t k);

  // The next rows of the gallery, float32 [G, D].
  void add(const Tensor& gallery);

  // Best first; equal scores by gallery row. Fewer than k where the gallery is smaller. Ends the search.
  const std::vector<std::vector<Hit>>& finish();

  int64_t k() const { return k_; }

 private:
  void search_tile();

  int64_t k_;
  Tensor probes_;  // [P, D], unit rows
  Tensor tile_;    // [kTileRows, D]: a row is always compared at the same place of an equal product, so that scores do
                   // not depend, in the last bit, on the sizes of the pieces or on the number of threads
  int64_t filled_ = 0;
  int64_t first_row_ = 0;  // gallery row of the tile's first
  std::vector<std::vector<Hit>> best_;
};

}  // namespace facex::search
