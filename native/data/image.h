// Decoded pixels on their way from a file to a batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace facex::data {

enum class Color { kBgr, kRgb };

// uint8 [height, width, 3], rows without padding. Workers keep their images from sample to sample, so that the pixels'
// memory is allocated once.
struct Image {
  int height = 0;
  int width = 0;
  std::vector<uint8_t> pixels;

  void reshape(int new_height, int new_width) {
    height = new_height;
    width = new_width;
    pixels.resize(static_cast<size_t>(height) * width * 3);
  }
  uint8_t* row(int y) { return pixels.data() + static_cast<size_t>(y) * width * 3; }
  const uint8_t* row(int y) const { return pixels.data() + static_cast<size_t>(y) * width * 3; }
  void swap(Image& other) {
    std::swap(height, other.height);
    std::swap(width, other.width);
    pixels.swap(other.pixels);
  }
};

}  // namespace facex::data
