// Augmentations that lose detail: what cameras, networks and hands before faces do.
#include <algorithm>
#include <cmath>

#include "data/augment.h"
#include "data/geometry.h"
#include "data/jpeg_encode.h"

namespace facex::data {

namespace {

// Gaussian, sigma drawn from (0, sigma]; borders repeat the edge pixel.
class Blur final : public Augmentation {
 public:
  explicit Blur(const AugmentationSpec& spec) : sigma_(spec.value("sigma")) {}
  void apply(Image& image, Scratch& scratch, Random& random) const override {
    const double sigma = std::max(0.1, random.uniform() * sigma_);
    const int radius = std::max(1, static_cast<int>(std::ceil(2.5 * sigma)));
    std::vector<float> kernel;
    float total = 0;
    for (int i = -radius; i <= radius; i++) {
      kernel.push_back(static_cast<float>(std::exp(-0.5 * i * i / (sigma * sigma))));
      total += kernel.back();
    }
    for (float& weight : kernel) weight /= total;
    scratch.image.reshape(image.height, image.width);
    // Rows into the scratch image, then columns back.
    convolve(image, scratch.image, kernel, radius, 0, 1);
    convolve(scratch.image, image, kernel, radius, 1, 0);
  }

 private:
  static void convolve(const Image& from, Image& to, const std::vector<float>& kernel, int radius, int dy, int dx) {
    for (int y = 0; y < from.height; y++) {
      uint8_t* out = to.row(y);
      for (int x = 0; x < from.width; x++, out += 3) {
        float sum[3] = {0, 0, 0};
        for (int k = -radius; k <= radius; k++) {
          const int sy = std::clamp(y + k * dy, 0, from.height - 1);
          const int sx = std::clamp(x + k * dx, 0, from.width - 1);
          const uint8_t* pixel = from.row(sy) + sx * 3;
          for (int c = 0; c < 3; c++) sum[c] += kernel[static_cast<size_t>(k + radius)] * pixel[c];
        }
        for (int c = 0; c < 3; c++) out[c] = static_cast<uint8_t>(sum[c] + 0.5f);
      }
    }
  }
  double sigma_;
};

// Through JPEG at a quality drawn from [min_quality, max_quality].
class JpegCompression final : public Augmentation {
 public:
  JpegCompression(const AugmentationSpec& spec, Color color)
      : color_(color), low_(static_cast<int>(spec.value("min_quality"))), high_(static_cast<int>(spec.value("max_quality"))) {}
  void apply(Image& image, Scratch& scratch, Random& random) const override {
    encode_jpeg(image, color_, random.between(low_, high_), scratch.bytes);
    decode(scratch.bytes, color_, image);
  }

 private:
  Color color_;
  int low_, high_;
};

// Down to a fraction of the size drawn from [min_scale, 1), and up again.
class Downscale final : public Augmentation {
 public:
  explicit Downscale(const AugmentationSpec& spec) : scale_(spec.value("min_scale")) {}
  void apply(Image& image, Scratch& scratch, Random& random) const override {
    const double scale = random.uniform(scale_, 1);
    const int height = image.height, width = image.width;
    resize(image, std::max(1, static_cast<int>(height * scale)), std::max(1, static_cast<int>(width * scale)), scratch.image);
    resize(scratch.image, height, width, image);
  }

 private:
  double scale_;
};

// A rectangle of noise over a part of the area drawn from [min_area, max_area], its aspect ratio from [0.3, 3.3] evenly
// on a log scale (Zhong et al., "Random erasing data augmentation", AAAI 2020).
class Erasing final : public Augmentation {
 public:
  explicit Erasing(const AugmentationSpec& spec) : low_(spec.value("min_area")), high_(spec.value("max_area")) {}
  void apply(Image& image, Scratch&, Random& random) const override {
    const double area = random.uniform(low_, high_) * image.height * image.width;
    const double aspect = std::exp(random.uniform(std::log(0.3), std::log(3.3)));
    const int height = std::clamp(static_cast<int>(std::lrint(std::sqrt(area * aspect))), 1, image.height);
    const int width = std::clamp(static_cast<int>(std::lrint(std::sqrt(area / aspect))), 1, image.width);
    const int top = random.between(0, image.height - height), left = random.between(0, image.width - width);
    for (int y = top; y < top + height; y++) {
      uint8_t* out = image.row(y) + left * 3;
      for (int i = 0; i < width * 3; i++) out[i] = static_cast<uint8_t>(random.next() >> 56);
    }
  }

 private:
  double low_, high_;
};

}  // namespace

std::vector<AugmentationEntry> quality_augmentations() {
  using Made = std::unique_ptr<Augmentation>;
  return {
      {"blur", [](const AugmentationSpec& spec, Color) -> Made { return std::make_unique<Blur>(spec); }},
      {"jpeg", [](const AugmentationSpec& spec, Color color) -> Made { return std::make_unique<JpegCompression>(spec, color); }},
      {"downscale", [](const AugmentationSpec& spec, Color) -> Made { return std::make_unique<Downscale>(spec); }},
      {"erase", [](const AugmentationSpec& spec, Color) -> Made { return std::make_unique<Erasing>(spec); }},
  };
}

}  // namespace facex::data
