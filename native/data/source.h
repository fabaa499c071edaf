// Where encoded images come from: numbered samples with a class each. Read by many threads at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/decode.h"

namespace facex::data {

class Source {
 public:
  virtual ~Source() = default;
  virtual size_t size() const = 0;
  virtual int64_t label(size_t index) const = 0;
  // The name of a sample in messages: a file, the list's line and the file, or a record file and position.
  virtual std::string path(size_t index) const = 0;
  // The encoded image. `buffer` may hold it; the result is valid until `buffer` changes. Throws kData with the reason;
  // the caller adds path().
  virtual Bytes read(size_t index, std::vector<uint8_t>& buffer) const = 0;
};

// The list that declares the samples of a file source, for messages.
struct ListPlace {
  std::string file;                     // "" = none
  std::vector<uint32_t> skipped_lines;  // its lines without a sample, ascending from 1
};

// `paths`: UTF-8, each ended by a newline; relative ones are below `root` ("" = the working directory). One label each.
std::unique_ptr<Source> make_file_source(std::string root, std::vector<char> paths, std::vector<int32_t> labels, ListPlace list = {});

// Images of a RecordIO file at the positions that index_records() found.
std::unique_ptr<Source> make_record_source(const std::string& path, std::vector<double> positions, std::vector<int32_t> labels);

// Sources behind each other; `labels` over all of them replace their own.
std::unique_ptr<Source> make_mixed_source(std::vector<std::unique_ptr<Source>> parts, std::vector<int32_t> labels);

}  // namespace facex::data
