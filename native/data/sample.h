// One image from its source to its place in a batch: read, decode, resize, augment, crop.
#pragma once

#include "data/augment.h"
#include "data/bad_images.h"
#include "data/source.h"

namespace facex::data {

struct SampleOptions {
  int height = 112;       // of the images handed out
  int width = 112;
  int full_height = 112;  // files are brought to full_height x width; the upper `height` rows are kept
  Color color = Color::kBgr;
  bool skip_bad_images = false;
  // A replacement must be of the same class: the sample is a pair.
  bool keep_class = false;
};

// Belongs to one thread, for its buffers; what it refers to is shared.
class SampleReader {
 public:
  SampleReader(const Source& source, const AugmentationChain& augmentations, const SampleOptions& options, BadImages& bad_images)
      : source_(source), augmentations_(augmentations), options_(options), bad_images_(bad_images) {}

  // Writes uint8 [height, width, 3] to `out` and returns the index that was used. A bad image throws kData with its
  // path, or with skip_bad_images is noted and replaced by the next good one of its class, then of the source.
  size_t read(size_t index, Random random, uint8_t* out);

 private:
  bool try_load(size_t index);
  bool load_replacement(size_t index, bool same_class, size_t& used);

  const Source& source_;
  const AugmentationChain& augmentations_;
  const SampleOptions& options_;
  BadImages& bad_images_;
  std::string failure_;  // why the latest bad image is one
  std::vector<uint8_t> file_;
  Image image_;
  Scratch scratch_;
};

}  // namespace facex::data
