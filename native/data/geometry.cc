#include "data/geometry.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace facex::data {

namespace {

// Weights of resize() have 11 bits a direction.
constexpr int kResizeBits = 11;
constexpr int kResizeOne = 1 << kResizeBits;

struct Tap {
  int first;   // index of the left or upper neighbour
  int second;  // the other neighbour, the same at the border
  int weight0;
  int weight1;
};

std::vector<Tap> taps(int from_size, int to_size) {
  std::vector<Tap> result(static_cast<size_t>(to_size));
  const double scale = static_cast<double>(from_size) / to_size;
  for (int i = 0; i < to_size; i++) {
    auto position = static_cast<float>((i + 0.5) * scale - 0.5);
    int first = static_cast<int>(std::floor(position));
    float fraction = position - static_cast<float>(first);
    if (first < 0) first = 0, fraction = 0;
    if (first >= from_size - 1) first = from_size - 1, fraction = 0;
    const int weight0 = static_cast<int>(std::lrint((1.0f - fraction) * kResizeOne));
    const int weight1 = static_cast<int>(std::lrint(fraction * kResizeOne));
    result[static_cast<size_t>(i)] = {first, std::min(first + 1, from_size - 1), weight0, weight1};
  }
  return result;
}

// Weights of warp_affine(): coordinates have 10 fractional bits, of which 5 choose the weight.
constexpr int kCoordinateBits = 10;
constexpr int kWeightBits = 5;
constexpr int kWeightOne = 1 << kWeightBits;

constexpr double kRadians = 3.141592653589793 / 180;

Affine inverse(const Affine& m) {
  const double determinant = m[0] * m[4] - m[1] * m[3];
  if (determinant == 0 || !std::isfinite(determinant)) fail(ErrorCode::kData, "the transform of an image cannot be inverted");
  const double a = m[4] / determinant, b = -m[1] / determinant, c = -m[3] / determinant, d = m[0] / determinant;
  return {a, b, -a * m[2] - b * m[5], c, d, -c * m[2] - d * m[5]};
}

int to_fixed(double value) {
  // Far outside any image, but inside int after the sums below.
  return static_cast<int>(std::lrint(std::clamp(value * (1 << kCoordinateBits), -5e8, 5e8)));
}

}  // namespace

void resize(const Image& from, Box box, int height, int width, Image& to) {
  const int box_width = box.right - box.left;
  const std::vector<Tap> columns = taps(box_width, width);
  const std::vector<Tap> rows = taps(box.bottom - box.top, height);
  to.reshape(height, width);
  // The two source rows last used, resized horizontally; the next output row mostly needs one or both again.
  std::vector<int> lines[2] = {std::vector<int>(static_cast<size_t>(width) * 3), std::vector<int>(static_cast<size_t>(width) * 3)};
  int held[2] = {-1, -1};
  const auto line = [&](int y, int avoid) {
    for (int slot = 0; slot < 2; slot++) if (held[slot] == y) return slot;
    const int slot = avoid == 0 ? 1 : 0;
    const uint8_t* source = from.row(box.top + y) + box.left * 3;
    int* out = lines[slot].data();
    for (const Tap& tap : columns) {
      const uint8_t* a = source + tap.first * 3;
      const uint8_t* b = source + tap.second * 3;
      for (int c = 0; c < 3; c++) *out++ = a[c] * tap.weight0 + b[c] * tap.weight1;
    }
    held[slot] = y;
    return slot;
  };
  for (int y = 0; y < height; y++) {
    const Tap& tap = rows[static_cast<size_t>(y)];
    const int second_held = held[0] == tap.second ? 0 : held[1] == tap.second ? 1 : -1;
    const int slot0 = line(tap.first, second_held);
    const int slot1 = line(tap.second, slot0);
    const int* a = lines[slot0].data();
    const int* b = lines[slot1].data();
    uint8_t* out = to.row(y);
    for (int i = 0; i < width * 3; i++) {
      out[i] = static_cast<uint8_t>((((tap.weight0 * (a[i] >> 4)) >> 16) + ((tap.weight1 * (b[i] >> 4)) >> 16) + 2) >> 2);
    }
  }
}

void resize(const Image& from, int height, int width, Image& to) {
  resize(from, {0, 0, from.height, from.width}, height, width, to);
}

void warp_affine(const Image& from, const Affine& matrix, int height, int width, Image& to) {
  const Affine back = inverse(matrix);
  to.reshape(height, width);
  constexpr int kShift = kCoordinateBits - kWeightBits;
  constexpr int kHalf = 1 << (kShift - 1);
  constexpr uint8_t kBorder[3] = {0, 0, 0};
  const auto pixel = [&](int y, int x) {
    return y < 0 || x < 0 || y >= from.height || x >= from.width ? kBorder : from.row(y) + x * 3;
  };
  for (int y = 0; y < height; y++) {
    const int x_start = to_fixed(back[1] * y + back[2]) + kHalf;
    const int y_start = to_fixed(back[4] * y + back[5]) + kHalf;
    uint8_t* out = to.row(y);
    for (int x = 0; x < width; x++, out += 3) {
      const int fixed_x = (x_start + to_fixed(back[0] * x)) >> kShift;
      const int fixed_y = (y_start + to_fixed(back[3] * x)) >> kShift;
      const int x0 = fixed_x >> kWeightBits, y0 = fixed_y >> kWeightBits;
      const int fx = fixed_x & (kWeightOne - 1), fy = fixed_y & (kWeightOne - 1);
      const uint8_t* p00 = pixel(y0, x0);
      const uint8_t* p01 = pixel(y0, x0 + 1);
      const uint8_t* p10 = pixel(y0 + 1, x0);
      const uint8_t* p11 = pixel(y0 + 1, x0 + 1);
      for (int c = 0; c < 3; c++) {
        const int upper = p00[c] * (kWeightOne - fx) + p01[c] * fx;
        const int lower = p10[c] * (kWeightOne - fx) + p11[c] * fx;
        out[c] = static_cast<uint8_t>((upper * (kWeightOne - fy) + lower * fy + (1 << (2 * kWeightBits - 1))) >> (2 * kWeightBits));
      }
    }
  }
}

Affine rotation_about_centre(int height, int width, double degrees) {
  const double a = std::cos(degrees * kRadians), b = std::sin(degrees * kRadians);
  const double cx = (width - 1) / 2.0, cy = (height - 1) / 2.0;
  return {a, b, (1 - a) * cx - b * cy, -b, a, b * cx + (1 - a) * cy};
}

Affine rotation_about_corner(double degrees) {
  const double a = std::cos(degrees * kRadians), b = std::sin(degrees * kRadians);
  return {a, -b, 0, b, a, 0};
}

}  // namespace facex::data
