// A pass over all images of a source on several threads, where a bad image is noted and the others go on.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "data/source.h"

namespace facex::data {

// Index and reason of each bad image, in order.
using ScanProblems = std::vector<std::pair<size_t, std::string>>;

// What is done with an image: it may decode into `image`, a buffer of its thread. What it throws as Error is a problem.
using ScanWork = std::function<void(size_t index, Bytes file, Image& image)>;

ScanProblems scan(const Source& source, int threads, const ScanWork& work);

}  // namespace facex::data
