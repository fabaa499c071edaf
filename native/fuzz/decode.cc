// Any bytes as an image: its header and, where that is of moderate size, its pixels. Errors are expected, crashes are not.
#include "core/error.h"
#include "data/decode.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace facex::data;
  const Bytes file(data, size);
  try {
    const ImageSize found = read_size(file);
    // Large pictures only cost time here: what their rows do, those of small ones do too.
    if (int64_t{found.height} * found.width > int64_t{1} << 20) return 0;
    Image image;
    decode(file, size % 2 == 0 ? Color::kBgr : Color::kRgb, image);
  } catch (const facex::Error&) {
  }
  return 0;
}
