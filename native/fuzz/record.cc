// Any bytes as a RecordIO file with an index: two bytes for the length of the index, the index, the records. Without an
// index (length 0) the records are walked through. Errors are expected, crashes are not.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "core/error.h"
#include "data/record_file.h"

namespace {

// Files that exist only in memory, with a path that can be opened.
class MemoryFile {
 public:
  explicit MemoryFile(const char* name) : descriptor_(::memfd_create(name, 0)) {}
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }
  void fill(const uint8_t* data, size_t size) const {
    if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, data, size, 0) != static_cast<ssize_t>(size)) std::abort();
  }

 private:
  int descriptor_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace facex::data;
  static const MemoryFile records("records"), index("index");
  if (size < 2) return 0;
  const size_t index_size = std::min<size_t>(data[0] + 256u * data[1], size - 2);
  index.fill(data + 2, index_size);
  records.fill(data + 2 + index_size, size - 2 - index_size);
  try {
    const RecordIndex found = index_records(records.path(), index_size == 0 ? "" : index.path());
    const RecordFile file(records.path());
    std::vector<uint8_t> buffer;
    for (const double position : found.positions) file.read(static_cast<uint64_t>(position), buffer);
  } catch (const facex::Error&) {
  }
  return 0;
}
