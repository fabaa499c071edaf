#include "data/picture_hash.h"

#include <algorithm>

#include "core/error.h"

namespace facex::data {

namespace {

constexpr int kRows = 16;
constexpr int kColumns = 17;  // one more than bits in a row: each bit compares two

// Sum over the pixels of each cell, weighted as in luma, divided by their number.
std::vector<double> cells_of(const Image& image) {
  std::vector<double> cells;
  for (int row = 0; row < kRows; row++) {
    const int top = row * image.height / kRows, bottom = std::max(top + 1, (row + 1) * image.height / kRows);
    for (int column = 0; column < kColumns; column++) {
      const int left = column * image.width / kColumns, right = std::max(left + 1, (column + 1) * image.width / kColumns);
      int64_t sum = 0;
      for (int y = top; y < bottom; y++) {
        const uint8_t* pixel = image.row(y) + left * 3;
        for (int x = left; x < right; x++, pixel += 3) sum += 114 * pixel[0] + 587 * pixel[1] + 299 * pixel[2];
      }
      cells.push_back(static_cast<double>(sum) / ((bottom - top) * (right - left)));
    }
  }
  return cells;
}

}  // namespace

PictureHashes hash_pictures(const Source& source, int threads) {
  PictureHashes hashes;
  hashes.words.resize(source.size() * kHashWords);
  hashes.problems = scan(source, threads, [&](size_t index, Bytes file, Image& image) {
    decode(file, Color::kBgr, image);
    const std::vector<double> cells = cells_of(image);
    for (size_t bit = 0; bit < kHashWords * 32; bit++) {
      const size_t cell = bit / (kColumns - 1) * kColumns + bit % (kColumns - 1);
      if (cells[cell] < cells[cell + 1]) hashes.words[index * kHashWords + bit / 32] |= 1u << (bit % 32);
    }
  });
  return hashes;
}

}  // namespace facex::data
