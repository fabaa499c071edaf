// Perceptual hashes, to find pictures that are there twice: whether each cell of a 16 x 16 grid is darker than its right
// neighbour (difference hash). Bits of a picture and of its copy at another size or quality hardly differ.
#pragma once

#include "data/scan.h"

namespace facex::data {

inline constexpr size_t kHashWords = 8;  // of 32 bits

struct PictureHashes {
  std::vector<uint32_t> words;  // kHashWords an image, zeros for a bad one
  ScanProblems problems;
};

PictureHashes hash_pictures(const Source& source, int threads);

}  // namespace facex::data
