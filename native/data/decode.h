// Encoded bytes to pixels. JPEG by libjpeg-turbo in its default settings, so that pixels are bit-equal to what other
// programs on that library see; PNG by libpng. Grey, alpha, 16-bit, palette, CMYK and interlaced files become 8-bit
// colour; alpha is dropped, EXIF orientation is not applied (training images are aligned crops, and the landmarks
// that `facex align` reads refer to the stored pixels).
#pragma once

#include <map>
#include <span>
#include <string>

#include "data/image.h"

namespace facex::data {

using Bytes = std::span<const uint8_t>;

struct ImageSize {
  int height = 0;
  int width = 0;
};

// Larger images are refused before any pixel is decoded: 64 megapixels are 192 MB of BGR a worker.
inline constexpr int64_t kMaxPixels = int64_t{1} << 26;

// Both throw kData with the reason, without a path: the caller knows that. A damaged or cut-off JPEG is an error even
// where the library would fill the rest with grey.
void decode(Bytes file, Color color, Image& image);
// Reads the header only.
ImageSize read_size(Bytes file);

// {"libjpeg": "libjpeg-turbo 2.1.5", "libpng": "1.6.39"}
std::map<std::string, std::string> image_library_versions();

}  // namespace facex::data
