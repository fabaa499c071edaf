// A look at the header of every image of a source before training: missing, unreadable and oversized files are found
// in seconds instead of after hours.
#pragma once

#include "data/scan.h"

namespace facex::data {

struct Inspection {
  std::vector<uint16_t> heights;  // 0 for a bad image
  std::vector<uint16_t> widths;
  ScanProblems problems;
};

// `full` decodes every pixel instead of the header only.
Inspection inspect(const Source& source, int threads, bool full);

}  // namespace facex::data
