// Augmentations that move pixels.
#include <algorithm>

#include "data/augment.h"
#include "data/geometry.h"

namespace facex::data {

namespace {

class HorizontalFlip final : public Augmentation {
 public:
  void apply(Image& image, Scratch&, Random&) const override {
    for (int y = 0; y < image.height; y++) {
      uint8_t* left = image.row(y);
      uint8_t* right = left + (image.width - 1) * 3;
      for (; left < right; left += 3, right -= 3) std::swap_ranges(left, left + 3, right);
    }
  }
};

// Cuts up to `margin` pixels from each side and resizes what is left; FaceX-Zoo's crop with margin 9.
class Crop final : public Augmentation {
 public:
  explicit Crop(const AugmentationSpec& spec) : margin_(static_cast<int>(spec.value("margin"))) {}
  void apply(Image& image, Scratch& scratch, Random& random) const override {
    const int margin = std::min({margin_, image.height / 2, image.width / 2});
    if (margin < 1) return;
    // The far edges are exclusive ends drawn from [size - margin, size).
    const Box box = {random.between(0, margin - 1), random.between(0, margin - 1),
                     image.height - random.between(1, margin), image.width - random.between(1, margin)};
    resize(image, box, image.height, image.width, scratch.image);
    image.swap(scratch.image);
  }

 private:
  int margin_;
};

// By whole degrees in [-degrees, degrees], border black.
class Rotation final : public Augmentation {
 public:
  Rotation(const AugmentationSpec& spec, bool about_corner)
      : degrees_(static_cast<int>(spec.value("degrees"))), about_corner_(about_corner) {}
  void apply(Image& image, Scratch& scratch, Random& random) const override {
    const int degrees = random.between(-degrees_, degrees_);
    const Affine matrix = about_corner_ ? rotation_about_corner(degrees) : rotation_about_centre(image.height, image.width, degrees);
    warp_affine(image, matrix, image.height, image.width, scratch.image);
    image.swap(scratch.image);
  }

 private:
  int degrees_;
  bool about_corner_;
};

}  // namespace

std::vector<AugmentationEntry> geometric_augmentations() {
  using Made = std::unique_ptr<Augmentation>;
  return {
      {"flip", [](const AugmentationSpec&, Color) -> Made { return std::make_unique<HorizontalFlip>(); }},
      {"crop", [](const AugmentationSpec& spec, Color) -> Made { return std::make_unique<Crop>(spec); }},
      {"rotate", [](const AugmentationSpec& spec, Color) -> Made { return std::make_unique<Rotation>(spec, false); }},
      {"rotate_corner", [](const AugmentationSpec& spec, Color) -> Made { return std::make_unique<Rotation>(spec, true); }},
  };
}

}  // namespace facex::data
