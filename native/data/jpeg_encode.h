// Pixels to JPEG, for the compression augmentation.
#pragma once

#include "data/decode.h"

namespace facex::data {

// `quality` 1 to 100. Baseline, 4:2:0, the library's default settings.
void encode_jpeg(const Image& image, Color color, int quality, std::vector<uint8_t>& file);

}  // namespace facex::data
