// RecordIO as MXNet writes it and insightface distributes its training sets: a .rec of packed images, mapped into
// memory, and a .idx of "key<tab>position" lines.
//
// A record is the magic number, a word of 3 bits of part kind and 29 bits of length, and the data padded to 4 bytes.
// Data that holds the magic number at a multiple of 4 is split there into parts (1 first, 2 middle, 3 last; 0 whole)
// without it. An image record begins with flag u32, label f32, id u64, id2 u64; with flag > 0, flag f32 labels follow
// and replace the one in the header. All numbers are little-endian.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/decode.h"

namespace facex::data {

struct Record {
  uint32_t flag = 0;
  std::vector<float> labels;  // one, or `flag` many
  Bytes content;              // the encoded image
};

class RecordFile {
 public:
  // Throws kData with the path when the file cannot be mapped.
  explicit RecordFile(const std::string& path);
  ~RecordFile();
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

  uint64_t size() const { return bytes_.size(); }
  // The record at `position`; `buffer` holds its content when it had to be joined from parts. Throws kData with the
  // reason for anything that is no record. `end` receives the position behind it.
  Record read(uint64_t position, std::vector<uint8_t>& buffer, uint64_t* end = nullptr) const;

 private:
  Bytes bytes_;
};

// The images of a record file: where they are and their first labels.
struct RecordIndex {
  std::vector<double> positions;  // exact: below 2^53
  std::vector<int32_t> labels;
  std::vector<std::pair<uint64_t, std::string>> problems;  // position and reason
};

// Reads the header of every image record. Keys and positions come from `index_path`, or from walking through the file
// when that is empty. Where record 0 is insightface's header, images are those that it names.
RecordIndex index_records(const std::string& path, const std::string& index_path);

}  // namespace facex::data
