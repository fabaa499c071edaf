// Augmentations that move pixels.
#ifdef __x86_64__
#include <tmmintrin.h>
#endif

#include <algorithm>
#include <cstring>

#include "data/augment.h"
#include "data/geometry.h"

namespace facex::data {

namespace {

// Copies a line's pixels in reverse order, by vectors of five while they fit: what is left is for the caller. Returns the
// bytes done. `end` is the end of the source, and one byte more can be read there.
#ifdef __x86_64__
[[gnu::target("ssse3")]] size_t mirror_fives(const uint8_t* end, uint8_t* out, size_t bytes) {
  const __m128i order = _mm_setr_epi8(12, 13, 14, 9, 10, 11, 6, 7, 8, 3, 4, 5, 0, 1, 2, 15);
  size_t done = 0;
  for (; done + 16 <= bytes; done += 15) {
    const __m128i five = _mm_loadu_si128(reinterpret_cast<const __m128i*>(end - done - 15));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + done), _mm_shuffle_epi8(five, order));
  }
  return done;
}
const bool has_shuffle = __builtin_cpu_supports("ssse3");
#else
size_t mirror_fives(const uint8_t*, uint8_t*, size_t) { return 0; }
constexpr bool has_shuffle = false;
#endif

class HorizontalFlip final : public Augmentation {
 public:
  void apply(Image& image, Scratch& scratch, Random&) const override {
    const size_t bytes = static_cast<size_t>(image.width) * 3;
    std::vector<uint8_t>& line = scratch.bytes;
    line.resize(bytes + 1);  // a vector takes a byte more than its pixels
    const uint8_t* const end = line.data() + bytes;
    for (int y = 0; y < image.height; y++) {
      uint8_t* out = image.row(y);
      std::memcpy(line.data(), out, bytes);
      for (size_t done = has_shuffle ? mirror_fives(end, out, bytes) : 0; done < bytes; done += 3) std::memcpy(out + done, end - done - 3, 3);
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
