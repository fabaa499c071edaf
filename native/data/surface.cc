#include "data/surface.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/random.h"

namespace facex::data {

namespace {

// Samples of a pixel in each direction.
constexpr int kSamples = 4;

// The part of the image that is drawn on, with what is drawn: colour multiplied by coverage, and coverage, from 0 to 1.
struct Layer {
  int left = 0, top = 0, width = 0, height = 0;
  std::vector<std::array<float, 4>> pixels;
  std::array<float, 4>& at(int x, int y) { return pixels[static_cast<size_t>(y) * width + x]; }
};

void check(const Surface& surface, const Texture& texture) {
  const size_t count = surface.light.size();
  if (surface.positions.size() != 3 * count || surface.places.size() != 2 * count || surface.triangles.size() % 3 != 0) {
    fail(ErrorCode::kConfig, "surface: expected 3 coordinates, 2 texture places and a light for each vertex");
  }
  for (const uint32_t vertex : surface.triangles) {
    if (vertex >= count) fail(ErrorCode::kConfig, "surface: a triangle names vertex ", vertex, " of ", count);
  }
  for (const float value : surface.positions) {
    if (!std::isfinite(value)) fail(ErrorCode::kConfig, "surface: a position is not finite");
  }
  if (texture.width < 1 || texture.height < 1) fail(ErrorCode::kConfig, "surface: expected a texture with pixels");
}

Layer layer_for(const Surface& surface, const Image& image, int margin) {
  float low[2] = {1e9f, 1e9f}, high[2] = {-1e9f, -1e9f};
  for (size_t v = 0; v < surface.light.size(); v++) {
    for (size_t axis = 0; axis < 2; axis++) {
      low[axis] = std::min(low[axis], surface.positions[3 * v + axis]);
      high[axis] = std::max(high[axis], surface.positions[3 * v + axis]);
    }
  }
  const auto clamped = [](float value, int size) { return static_cast<int>(std::clamp(value, 0.0f, static_cast<float>(size))); };
  Layer layer;
  layer.left = clamped(std::floor(low[0]) - static_cast<float>(margin), image.width);
  layer.top = clamped(std::floor(low[1]) - static_cast<float>(margin), image.height);
  layer.width = clamped(std::ceil(high[0]) + static_cast<float>(margin), image.width) - layer.left;
  layer.height = clamped(std::ceil(high[1]) + static_cast<float>(margin), image.height) - layer.top;
  layer.pixels.resize(static_cast<size_t>(std::max(0, layer.width)) * static_cast<size_t>(std::max(0, layer.height)));
  return layer;
}

// Bilinear; colour multiplied by alpha, so that what transparent pixels hold does not bleed into the edge.
std::array<float, 4> texture_at(const Texture& texture, float u, float v) {
  const float x = std::clamp(u, 0.0f, 1.0f) * static_cast<float>(texture.width) - 0.5f;
  const float y = std::clamp(v, 0.0f, 1.0f) * static_cast<float>(texture.height) - 0.5f;
  const int x0 = static_cast<int>(std::floor(x)), y0 = static_cast<int>(std::floor(y));
  std::array<float, 4> sum{};
  for (int dy = 0; dy < 2; dy++) {
    for (int dx = 0; dx < 2; dx++) {
      const int sx = std::clamp(x0 + dx, 0, texture.width - 1), sy = std::clamp(y0 + dy, 0, texture.height - 1);
      const uint8_t* pixel = &texture.pixels[(static_cast<size_t>(sy) * texture.width + sx) * 4];
      const float weight = (dx == 1 ? x - x0 : 1 - (x - x0)) * (dy == 1 ? y - y0 : 1 - (y - y0));
      const float alpha = weight * pixel[3] / 255.0f;
      for (size_t c = 0; c < 3; c++) sum[c] += alpha * pixel[c] / 255.0f;
      sum[3] += alpha;
    }
  }
  return sum;
}

// Samples of one layer at kSamples times its resolution, nearest surface first.
class Samples {
 public:
  explicit Samples(Layer& layer)
      : layer_(layer), width_(layer.width * kSamples), height_(layer.height * kSamples),
        depth_(static_cast<size_t>(width_) * height_, -std::numeric_limits<float>::infinity()),
        pixels_(depth_.size()) {}

  void draw(const Surface& surface, const Texture& texture, const uint32_t* triangle) {
    float x[3], y[3];
    for (int i = 0; i < 3; i++) {
      const float* position = &surface.positions[3 * triangle[i]];
      x[i] = (position[0] - static_cast<float>(layer_.left)) * kSamples;
      y[i] = (position[1] - static_cast<float>(layer_.top)) * kSamples;
    }
    const float area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0]);
    if (!(area > 1e-6f)) return;
    const auto [x_low, x_high] = std::minmax({x[0], x[1], x[2]});
    const auto [y_low, y_high] = std::minmax({y[0], y[1], y[2]});
    const auto bound = [](float value, int size) { return static_cast<int>(std::clamp(value, 0.0f, static_cast<float>(size))); };
    for (int row = bound(y_low, height_); row < bound(y_high + 1, height_); row++) {
      for (int column = bound(x_low, width_); column < bound(x_high + 1, width_); column++) {
        const float px = static_cast<float>(column) + 0.5f, py = static_cast<float>(row) + 0.5f;
        float weight[3];
        weight[0] = ((x[1] - px) * (y[2] - py) - (x[2] - px) * (y[1] - py)) / area;
        weight[1] = ((x[2] - px) * (y[0] - py) - (x[0] - px) * (y[2] - py)) / area;
        weight[2] = 1 - weight[0] - weight[1];
        if (weight[0] < 0 || weight[1] < 0 || weight[2] < 0) continue;
        put(surface, texture, triangle, weight, static_cast<size_t>(row) * width_ + column);
      }
    }
  }

  // The mean of each pixel's samples.
  void resolve() {
    constexpr float kShare = 1.0f / (kSamples * kSamples);
    for (int y = 0; y < height_; y++) {
      for (int x = 0; x < width_; x++) {
        std::array<float, 4>& pixel = layer_.at(x / kSamples, y / kSamples);
        for (size_t c = 0; c < 4; c++) pixel[c] += kShare * pixels_[static_cast<size_t>(y) * width_ + x][c];
      }
    }
  }

 private:
  void put(const Surface& surface, const Texture& texture, const uint32_t* triangle, const float* weight, size_t at) {
    float depth = 0, light = 0, u = 0, v = 0;
    for (int i = 0; i < 3; i++) {
      depth += weight[i] * surface.positions[3 * triangle[i] + 2];
      light += weight[i] * surface.light[triangle[i]];
      u += weight[i] * surface.places[2 * triangle[i]];
      v += weight[i] * surface.places[2 * triangle[i] + 1];
    }
    if (depth <= depth_[at]) return;
    depth_[at] = depth;
    std::array<float, 4> color = texture_at(texture, u, v);
    for (size_t c = 0; c < 3; c++) color[c] = std::min(color[c] * light, color[3]);
    pixels_[at] = color;
  }

  Layer& layer_;
  int width_, height_;
  std::vector<float> depth_;
  std::vector<std::array<float, 4>> pixels_;
};

// Gaussian, in both directions; outside the layer there is nothing.
void blur(Layer& layer, double sigma) {
  if (sigma < 0.05 || layer.pixels.empty()) return;
  const int radius = std::max(1, static_cast<int>(std::ceil(2.5 * sigma)));
  std::vector<float> kernel;
  float total = 0;
  for (int i = -radius; i <= radius; i++) {
    kernel.push_back(static_cast<float>(std::exp(-0.5 * i * i / (sigma * sigma))));
    total += kernel.back();
  }
  std::vector<std::array<float, 4>> from;
  for (const bool vertical : {false, true}) {
    from = layer.pixels;
    for (int y = 0; y < layer.height; y++) {
      for (int x = 0; x < layer.width; x++) {
        std::array<float, 4> sum{};
        for (int k = -radius; k <= radius; k++) {
          const int sx = vertical ? x : std::clamp(x + k, 0, layer.width - 1), sy = vertical ? std::clamp(y + k, 0, layer.height - 1) : y;
          const auto& pixel = from[static_cast<size_t>(sy) * layer.width + sx];
          for (size_t c = 0; c < 4; c++) sum[c] += kernel[static_cast<size_t>(k + radius)] / total * pixel[c];
        }
        layer.at(x, y) = sum;
      }
    }
  }
}

void make_grey(Layer& layer) {
  for (auto& pixel : layer.pixels) pixel[0] = pixel[1] = pixel[2] = 0.299f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2];
}

}  // namespace

void draw_surface(Image& image, Color color, const Surface& surface, const Texture& texture, const SurfaceStyle& style) {
  check(surface, texture);
  const int margin = 2 + static_cast<int>(std::ceil(2.5 * std::max(style.softness, style.shadow_reach)));
  Layer layer = layer_for(surface, image, margin);
  if (layer.pixels.empty()) return;
  Samples samples(layer);
  for (size_t t = 0; t < surface.triangles.size(); t += 3) samples.draw(surface, texture, &surface.triangles[t]);
  samples.resolve();
  if (style.grey) make_grey(layer);
  Layer shadow = layer;
  blur(shadow, style.shadow_reach);
  blur(layer, style.softness);
  Random random(style.seed);
  const int red = color == Color::kRgb ? 0 : 2;
  for (int y = 0; y < layer.height; y++) {
    uint8_t* out = image.row(layer.top + y) + layer.left * 3;
    for (int x = 0; x < layer.width; x++, out += 3) {
      const auto& pixel = layer.at(x, y);
      const float under = (1 - pixel[3]) * (1 - static_cast<float>(style.shadow) * shadow.at(x, y)[3]);
      const auto grain = style.grain > 0 && pixel[3] > 0.01f ? static_cast<float>(style.grain * random.normal()) : 0.0f;
      for (int c = 0; c < 3; c++) {
        const float drawn = pixel[static_cast<size_t>(c == red ? 0 : c == 1 ? 1 : 2)];
        out[c] = static_cast<uint8_t>(std::clamp(out[c] * under + drawn * 255 + grain * pixel[3], 0.0f, 255.0f) + 0.5f);
      }
    }
  }
}

}  // namespace facex::data
