// Augmentations that change colours in place.
#include <algorithm>
#include <cmath>

#include "data/augment.h"

namespace facex::data {

namespace {

// 0.299 R + 0.587 G + 0.114 B in 15 bits, rounded.
class Luma {
 public:
  explicit Luma(Color color) : red_(color == Color::kRgb ? 0 : 2) {}
  uint8_t operator()(const uint8_t* pixel) const {
    return static_cast<uint8_t>((pixel[red_] * 9798 + pixel[1] * 19235 + pixel[2 - red_] * 3735 + (1 << 14)) >> 15);
  }
  int blue() const { return 2 - red_; }

 private:
  int red_;
};

class Grey final : public Augmentation {
 public:
  explicit Grey(Color color) : luma_(color) {}
  void apply(Image& image, Scratch&, Random&) const override {
    for (size_t i = 0; i < image.pixels.size(); i += 3) {
      uint8_t* pixel = &image.pixels[i];
      pixel[0] = pixel[1] = pixel[2] = luma_(pixel);
    }
  }

 private:
  Luma luma_;
};

// What FaceX-Zoo's semi-siamese pipeline does: only the blue channel becomes grey. For published numbers.
class GreyBlue final : public Augmentation {
 public:
  explicit GreyBlue(Color color) : luma_(color) {}
  void apply(Image& image, Scratch&, Random&) const override {
    for (size_t i = 0; i < image.pixels.size(); i += 3) image.pixels[i + luma_.blue()] = luma_(&image.pixels[i]);
  }

 private:
  Luma luma_;
};

// Brightness, contrast (about the image's mean) and saturation (about each pixel's grey), each by a factor from
// [1 - amount, 1 + amount].
class ColorJitter final : public Augmentation {
 public:
  ColorJitter(const AugmentationSpec& spec, Color color)
      : luma_(color), brightness_(spec.value("brightness")), contrast_(spec.value("contrast")), saturation_(spec.value("saturation")) {}
  void apply(Image& image, Scratch&, Random& random) const override {
    const auto brightness = static_cast<float>(random.uniform(1 - brightness_, 1 + brightness_));
    const auto contrast = static_cast<float>(random.uniform(1 - contrast_, 1 + contrast_));
    const auto saturation = static_cast<float>(random.uniform(1 - saturation_, 1 + saturation_));
    uint64_t sum = 0;
    for (size_t i = 0; i < image.pixels.size(); i += 3) sum += luma_(&image.pixels[i]);
    const float mean = static_cast<float>(sum) / static_cast<float>(image.pixels.size() / 3);
    for (size_t i = 0; i < image.pixels.size(); i += 3) {
      uint8_t* pixel = &image.pixels[i];
      const float grey = luma_(pixel);
      for (int c = 0; c < 3; c++) {
        const float saturated = grey + (pixel[c] - grey) * saturation;
        const float value = (mean + (saturated - mean) * contrast) * brightness;
        pixel[c] = static_cast<uint8_t>(std::clamp(std::lrint(value), 0L, 255L));
      }
    }
  }

 private:
  Luma luma_;
  double brightness_, contrast_, saturation_;
};

}  // namespace

std::vector<AugmentationEntry> color_augmentations() {
  using Made = std::unique_ptr<Augmentation>;
  return {
      {"grey", [](const AugmentationSpec&, Color color) -> Made { return std::make_unique<Grey>(color); }},
      {"grey_blue", [](const AugmentationSpec&, Color color) -> Made { return std::make_unique<GreyBlue>(color); }},
      {"color_jitter", [](const AugmentationSpec& spec, Color color) -> Made { return std::make_unique<ColorJitter>(spec, color); }},
  };
}

}  // namespace facex::data
