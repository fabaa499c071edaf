#include "data/inspect.h"

#include <algorithm>
#include <limits>

#include "core/error.h"

namespace facex::data {

namespace {

ImageSize size_of(Bytes file, bool full, Image& image) {
  if (!full) return read_size(file);
  decode(file, Color::kBgr, image);
  return {image.height, image.width};
}

}  // namespace

Inspection inspect(const Source& source, int threads, bool full) {
  Inspection result;
  result.heights.resize(source.size());
  result.widths.resize(source.size());
  result.problems = scan(source, threads, [&](size_t index, Bytes file, Image& image) {
    const ImageSize size = size_of(file, full, image);
    if (std::max(size.height, size.width) > std::numeric_limits<uint16_t>::max()) {
      fail(ErrorCode::kData, "expected at most 65535 pixels a side, found ", size.width, " x ", size.height);
    }
    result.heights[index] = static_cast<uint16_t>(size.height);
    result.widths[index] = static_cast<uint16_t>(size.width);
  });
  return result;
}

}  // namespace facex::data
