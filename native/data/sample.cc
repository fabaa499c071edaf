#include "data/sample.h"

#include <cstring>

#include "core/error.h"
#include "data/geometry.h"

namespace facex::data {

size_t SampleReader::read(size_t index, Random random, uint8_t* out) {
  size_t used = index;
  if (!try_load(index)) {
    const std::string reason = source_.path(index) + ": " + failure_;
    if (!load_replacement(index, true, used)) {
      if (options_.keep_class) fail(ErrorCode::kData, reason, "; none of the images of class ", source_.label(index), " can be read");
      if (!load_replacement(index, false, used)) fail(ErrorCode::kData, reason, "; none of the ", source_.size(), " images can be read");
    }
  }
  if (image_.height != options_.full_height || image_.width != options_.width) {
    resize(image_, options_.full_height, options_.width, scratch_.image);
    image_.swap(scratch_.image);
  }
  augmentations_.apply(image_, scratch_, random);
  std::memcpy(out, image_.pixels.data(), static_cast<size_t>(options_.height) * options_.width * 3);
  return used;
}

// False for a bad image that may be skipped.
bool SampleReader::try_load(size_t index) {
  try {
    decode(source_.read(index, file_), options_.color, image_);
    return true;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kData) throw;
    if (!options_.skip_bad_images) fail(ErrorCode::kData, source_.path(index), ": ", error.what());
    failure_ = error.what();
    bad_images_.note(index, {source_.path(index), failure_});
    return false;
  }
}

// The next good image after `index`, around the end: a rule that does not depend on what other threads met.
bool SampleReader::load_replacement(size_t index, bool same_class, size_t& used) {
  const int64_t label = source_.label(index);
  for (size_t step = 1; step < source_.size(); step++) {
    used = (index + step) % source_.size();
    if ((source_.label(used) == label) == same_class && try_load(used)) return true;
  }
  return false;
}

}  // namespace facex::data
