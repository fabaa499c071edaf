// Several sources as one.
#include <algorithm>

#include "core/error.h"
#include "data/source.h"

namespace facex::data {

namespace {

class MixedSource final : public Source {
 public:
  MixedSource(std::vector<std::unique_ptr<Source>> parts, std::vector<int32_t> labels) : parts_(std::move(parts)), labels_(std::move(labels)) {
    size_t end = 0;
    for (const auto& part : parts_) ends_.push_back(end += part->size());
    if (end != labels_.size()) fail(ErrorCode::kData, "expected ", end, " labels for the mixed sources, got ", labels_.size());
  }

  size_t size() const override { return labels_.size(); }
  int64_t label(size_t index) const override { return labels_[index]; }
  std::string path(size_t index) const override {
    const size_t part = part_of(index);
    return parts_[part]->path(index - begin_of(part));
  }
  Bytes read(size_t index, std::vector<uint8_t>& buffer) const override {
    const size_t part = part_of(index);
    return parts_[part]->read(index - begin_of(part), buffer);
  }

 private:
  size_t part_of(size_t index) const {
    return static_cast<size_t>(std::upper_bound(ends_.begin(), ends_.end(), index) - ends_.begin());
  }
  size_t begin_of(size_t part) const { return part == 0 ? 0 : ends_[part - 1]; }

  std::vector<std::unique_ptr<Source>> parts_;
  std::vector<size_t> ends_;
  std::vector<int32_t> labels_;
};

}  // namespace

std::unique_ptr<Source> make_mixed_source(std::vector<std::unique_ptr<Source>> parts, std::vector<int32_t> labels) {
  return std::make_unique<MixedSource>(std::move(parts), std::move(labels));
}

}  // namespace facex::data
