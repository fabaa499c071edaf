#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <system_error>

#include "core/error.h"
#include "data/record_file.h"

namespace facex::data {

namespace {

struct Entry {
  uint64_t key;
  uint64_t position;
};

std::vector<Entry> read_index(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(ErrorCode::kData, path, ": the index of the record file cannot be read");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::vector<Entry> entries;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (size_t line = 1; at < end; line++) {
    const char* next = std::find(at, end, '\n');
    const char* stop = next != at && next[-1] == '\r' ? next - 1 : next;
    if (stop != at) {
      Entry entry{};
      const auto key = std::from_chars(at, stop, entry.key);
      const auto position = key.ptr < stop && *key.ptr == '\t' ? std::from_chars(key.ptr + 1, stop, entry.position)
                                                              : std::from_chars_result{at, std::errc::invalid_argument};
      if (key.ec != std::errc() || position.ec != std::errc() || position.ptr != stop) {
        fail(ErrorCode::kData, path, ":", line, ": expected \"key<tab>position\"");
      }
      entries.push_back(entry);
    }
    at = next == end ? end : next + 1;
  }
  return entries;
}

std::vector<Entry> walk(const RecordFile& file, RecordIndex& index) {
  std::vector<Entry> entries;
  std::vector<uint8_t> buffer;
  for (uint64_t position = 0, key = 0; position < file.size(); key++) {
    try {
      uint64_t end = 0;
      file.read(position, buffer, &end);
      entries.push_back({key, position});
      position = end;
    } catch (const Error& error) {
      index.problems.emplace_back(position, error.what());
      break;
    }
  }
  return entries;
}

// Record 0 of insightface's sets: not an image, but the end of the images' keys; identity records follow them.
void keep_named_images(const RecordFile& file, std::vector<Entry>& entries) {
  std::vector<uint8_t> buffer;
  if (entries.empty() || entries.front().key != 0) return;
  const Record header = file.read(entries.front().position, buffer);
  if (header.flag == 0 || !header.content.empty()) return;
  // Within what an integer holds: a damaged header says anything. NaN becomes 0.
  const auto end = static_cast<uint64_t>(std::min(std::max(0.0f, header.labels.front()), 0x1p53f));
  std::erase_if(entries, [end](const Entry& entry) { return entry.key < 1 || entry.key >= end; });
}

}  // namespace

RecordIndex index_records(const std::string& path, const std::string& index_path) {
  const RecordFile file(path);
  RecordIndex index;
  std::vector<Entry> entries = index_path.empty() ? walk(file, index) : read_index(index_path);
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.key < b.key; });
  keep_named_images(file, entries);
  std::vector<uint8_t> buffer;
  for (const Entry& entry : entries) {
    try {
      const float label = file.read(entry.position, buffer).labels.front();
      if (!(label >= 0 && label < 2147483520.0f && std::floor(label) == label)) {
        fail(ErrorCode::kData, "expected a class index as label, found ", label);
      }
      index.positions.push_back(static_cast<double>(entry.position));
      index.labels.push_back(static_cast<int32_t>(label));
    } catch (const Error& error) {
      index.problems.emplace_back(entry.position, error.what());
    }
  }
  return index;
}

}  // namespace facex::data
