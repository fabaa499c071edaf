// A look at the header of every image of a source before training: missing, unreadable and oversized files are found
// in seconds instead of after hours.
#pragma once

#include "data/bad_images.h"
#include "data/source.h"

namespace facex::data {

struct Inspection {
  std::vector<uint16_t> heights;  // 0 for a bad image
  std::vector<uint16_t> widths;
  std::vector<std::pair<size_t, std::string>> problems;  // index and reason, in order
};

// `full` decodes every pixel instead of the header only.
Inspection inspect(const Source& source, int threads, bool full);

}  // namespace facex::data
