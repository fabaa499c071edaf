// Random changes of training images, by name and probability. Names and settings are those of lib/data/augment.ts,
// which also holds the defaults.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/random.h"
#include "data/image.h"

namespace facex::data {

struct AugmentationSpec {
  std::string name;
  double probability = 1;
  std::map<std::string, double> values;

  // Throws kConfig when the value is missing.
  double value(const std::string& key) const;
};

// Buffers of one worker.
struct Scratch {
  Image image;
  std::vector<uint8_t> bytes;
};

class Augmentation {
 public:
  virtual ~Augmentation() = default;
  // Changes `image` in place and keeps its size.
  virtual void apply(Image& image, Scratch& scratch, Random& random) const = 0;
};

// One row of the table of augmentations.
struct AugmentationEntry {
  const char* name;
  std::unique_ptr<Augmentation> (*make)(const AugmentationSpec& spec, Color color);
};

// The parts of the table; `augment.cc` puts them together.
std::vector<AugmentationEntry> geometric_augmentations();
std::vector<AugmentationEntry> color_augmentations();
std::vector<AugmentationEntry> quality_augmentations();

std::vector<std::string> augmentation_names();

// Augmentations in order, each with its probability.
class AugmentationChain {
 public:
  // Throws kConfig for an unknown name or a missing value. `color` is the channel order of the images to come.
  AugmentationChain(const std::vector<AugmentationSpec>& specs, Color color);
  void apply(Image& image, Scratch& scratch, Random& random) const;

 private:
  struct Step {
    double probability;
    std::unique_ptr<Augmentation> augmentation;
  };
  std::vector<Step> steps_;
};

}  // namespace facex::data
