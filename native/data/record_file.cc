#include "data/record_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace facex::data {

namespace {

constexpr uint32_t kMagic = 0xced7230a;
constexpr size_t kHeaderBytes = 24;

enum Part : uint32_t { kWhole = 0, kFirst = 1, kMiddle = 2, kLast = 3 };

template <typename T>
T value_at(Bytes bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

Bytes map_file(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (descriptor < 0 || ::fstat(descriptor, &status) != 0) {
    const int error = errno;
    if (descriptor >= 0) ::close(descriptor);
    fail(ErrorCode::kData, path, ": ", std::strerror(error));
  }
  const auto size = static_cast<size_t>(status.st_size);
  void* mapped = size == 0 ? nullptr : ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  const int error = errno;
  ::close(descriptor);
  if (size == 0) fail(ErrorCode::kData, path, ": the record file is empty");
  if (mapped == MAP_FAILED) fail(ErrorCode::kData, path, ": ", std::strerror(error));
  // Training reads at random: reading ahead would only fill the page cache with neighbours.
  ::madvise(mapped, size, MADV_RANDOM);
  return {static_cast<const uint8_t*>(mapped), size};
}

}  // namespace

RecordFile::RecordFile(const std::string& path) : bytes_(map_file(path)) {}

RecordFile::~RecordFile() { ::munmap(const_cast<uint8_t*>(bytes_.data()), bytes_.size()); }

Record RecordFile::read(uint64_t position, std::vector<uint8_t>& buffer, uint64_t* end) const {
  Bytes data;
  size_t joined = 0;
  bool last = false;
  for (bool first = true; !last; first = false) {
    // Positions come from a file: sums with them could wrap around.
    if (position % 4 != 0 || position > bytes_.size() || bytes_.size() - position < 8) fail(ErrorCode::kData, "no record at byte ", position, " of ", bytes_.size());
    if (value_at<uint32_t>(bytes_, position) != kMagic) fail(ErrorCode::kData, "expected a record's magic number at byte ", position);
    const auto word = value_at<uint32_t>(bytes_, position + 4);
    const uint32_t part = word >> 29;
    const uint64_t length = word & ((1u << 29) - 1);
    if (length > bytes_.size() - position - 8) fail(ErrorCode::kData, "the record at byte ", position, " is cut off");
    if (first != (part == kWhole || part == kFirst) || part > kLast) fail(ErrorCode::kData, "unexpected part ", part, " of a record at byte ", position);
    data = bytes_.subspan(position + 8, length);
    last = part == kWhole || part == kLast;
    if (part != kWhole) {
      const size_t gap = first ? 0 : sizeof kMagic;  // the magic number that stood between the parts
      if (buffer.size() < joined + gap + length) buffer.resize(joined + gap + length);
      if (gap > 0) std::memcpy(buffer.data() + joined, &kMagic, gap);
      if (length > 0) std::memcpy(buffer.data() + joined + gap, data.data(), length);
      joined += gap + length;
      data = {buffer.data(), joined};
    }
    position += 8 + (length + 3) / 4 * 4;
  }
  if (end != nullptr) *end = position;
  if (data.size() < kHeaderBytes) fail(ErrorCode::kData, "expected a record with an image header of 24 bytes, found ", data.size(), " bytes");
  Record record;
  record.flag = value_at<uint32_t>(data, 0);
  const uint64_t label_bytes = uint64_t{record.flag} * sizeof(float);
  if (label_bytes > data.size() - kHeaderBytes) fail(ErrorCode::kData, "a record of ", data.size(), " bytes claims ", record.flag, " labels");
  if (record.flag == 0) {
    record.labels = {value_at<float>(data, 4)};
  } else {
    record.labels.resize(record.flag);
    std::memcpy(record.labels.data(), data.data() + kHeaderBytes, label_bytes);
  }
  record.content = data.subspan(kHeaderBytes + label_bytes);
  return record;
}

}  // namespace facex::data
