#include "data/augment.h"

#include <algorithm>

#include "core/error.h"

namespace facex::data {

namespace {

const std::vector<AugmentationEntry>& table() {
  static const std::vector<AugmentationEntry> entries = [] {
    std::vector<AugmentationEntry> all;
    for (const auto& part : {geometric_augmentations(), color_augmentations(), quality_augmentations()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return entries;
}

}  // namespace

double AugmentationSpec::value(const std::string& key) const {
  const auto found = values.find(key);
  if (found == values.end()) fail(ErrorCode::kConfig, "augmentation ", name, ": expected a value for ", key);
  return found->second;
}

std::vector<std::string> augmentation_names() {
  std::vector<std::string> names;
  for (const AugmentationEntry& entry : table()) names.emplace_back(entry.name);
  return names;
}

AugmentationChain::AugmentationChain(const std::vector<AugmentationSpec>& specs, Color color) {
  for (const AugmentationSpec& spec : specs) {
    const auto entry = std::find_if(table().begin(), table().end(), [&](const auto& row) { return spec.name == row.name; });
    if (entry == table().end()) fail(ErrorCode::kConfig, "unknown augmentation \"", spec.name, '"');
    steps_.push_back({spec.probability, entry->make(spec, color)});
  }
}

void AugmentationChain::apply(Image& image, Scratch& scratch, Random& random) const {
  for (const Step& step : steps_) {
    if (random.uniform() < step.probability) step.augmentation->apply(image, scratch, random);
  }
}

}  // namespace facex::data
