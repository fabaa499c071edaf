// Images of a record file, by position.
#include "core/error.h"
#include "data/record_file.h"
#include "data/source.h"

namespace facex::data {

namespace {

class RecordSource final : public Source {
 public:
  RecordSource(const std::string& path, std::vector<double> positions, std::vector<int32_t> labels)
      : name_(path), file_(path), positions_(std::move(positions)), labels_(std::move(labels)) {
    if (positions_.size() != labels_.size()) fail(ErrorCode::kData, "expected a label for each record");
  }

  size_t size() const override { return labels_.size(); }
  int64_t label(size_t index) const override { return labels_[index]; }
  std::string path(size_t index) const override { return name_ + " at byte " + std::to_string(position(index)); }
  Bytes read(size_t index, std::vector<uint8_t>& buffer) const override { return file_.read(position(index), buffer).content; }

 private:
  uint64_t position(size_t index) const { return static_cast<uint64_t>(positions_[index]); }

  std::string name_;
  RecordFile file_;
  std::vector<double> positions_;
  std::vector<int32_t> labels_;
};

}  // namespace

std::unique_ptr<Source> make_record_source(const std::string& path, std::vector<double> positions, std::vector<int32_t> labels) {
  return std::make_unique<RecordSource>(path, std::move(positions), std::move(labels));
}

}  // namespace facex::data
