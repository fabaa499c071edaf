// One file a sample. Millions of paths are one block of text and an offset each, not a string each.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "data/source.h"

namespace facex::data {

namespace {

// Larger than any image we decode; guards against a list that names a video or a disk image.
constexpr int64_t kMaxFileBytes = int64_t{1} << 30;

// What most images fit into: they are read without asking for their size first.
constexpr size_t kUsualBytes = size_t{1} << 16;

class File {
 public:
  // Not blocking: a list that names a pipe must not hang.
  explicit File(const std::string& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (descriptor_ < 0) fail(ErrorCode::kData, "cannot open ", path, ": ", std::strerror(errno));
  }
  ~File() { ::close(descriptor_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // Up to `room` bytes; 0 at the end of the file.
  size_t read(uint8_t* to, size_t room) const {
    ssize_t count;
    do count = ::read(descriptor_, to, room);
    while (count < 0 && errno == EINTR);
    if (count < 0) {
      const int reason = errno;
      size();  // says so of a folder
      fail(ErrorCode::kData, std::strerror(reason));
    }
    return static_cast<size_t>(count);
  }

  // Throws for what is no image by its kind or size.
  size_t size() const {
    struct stat status;
    if (::fstat(descriptor_, &status) != 0) fail(ErrorCode::kData, std::strerror(errno));
    if (!S_ISREG(status.st_mode)) fail(ErrorCode::kData, "expected a file, found a folder or device");
    if (status.st_size > kMaxFileBytes) fail(ErrorCode::kData, "expected an image, found a file of ", status.st_size, " bytes");
    return static_cast<size_t>(status.st_size);
  }

 private:
  int descriptor_;
};

class FileSource final : public Source {
 public:
  FileSource(std::string root, std::vector<char> paths, std::vector<int32_t> labels, ListPlace list)
      : root_(std::move(root)), paths_(std::move(paths)), labels_(std::move(labels)), list_(std::move(list)) {
    if (!root_.empty() && root_.back() != '/') root_ += '/';
    ends_.reserve(labels_.size());
    for (size_t at = 0; at < paths_.size(); at++) {
      if (paths_[at] == '\n') ends_.push_back(at);
    }
    if (ends_.size() != labels_.size()) {
      fail(ErrorCode::kData, "expected a label for each path, got ", ends_.size(), " paths and ", labels_.size(), " labels");
    }
  }

  size_t size() const override { return labels_.size(); }
  int64_t label(size_t index) const override { return labels_[index]; }

  std::string path(size_t index) const override {
    if (list_.file.empty()) return file_of(index);
    size_t line = index + 1;
    for (const uint32_t skipped : list_.skipped_lines) {
      if (skipped > line) break;
      line++;
    }
    return list_.file + ":" + std::to_string(line) + ": " + name(index);
  }

  Bytes read(size_t index, std::vector<uint8_t>& buffer) const override {
    const File file(file_of(index));
    // The buffer never shrinks: zeroing the rest again costs more than the memory.
    if (buffer.size() < kUsualBytes) buffer.resize(kUsualBytes);
    size_t done = 0;
    while (const size_t count = file.read(buffer.data() + done, buffer.size() - done)) {
      done += count;
      if (done == buffer.size()) buffer.resize(std::max(2 * done, file.size() + 1));
    }
    return {buffer.data(), done};
  }

 private:
  std::string name(size_t index) const {
    const size_t begin = index == 0 ? 0 : ends_[index - 1] + 1;
    return {paths_.data() + begin, ends_[index] - begin};
  }

  std::string file_of(size_t index) const {
    std::string found = name(index);
    return found.starts_with('/') ? found : root_ + found;
  }

  std::string root_;
  std::vector<char> paths_;
  std::vector<uint64_t> ends_;  // position of each path's newline
  std::vector<int32_t> labels_;
  ListPlace list_;
};

}  // namespace

std::unique_ptr<Source> make_file_source(std::string root, std::vector<char> paths, std::vector<int32_t> labels, ListPlace list) {
  return std::make_unique<FileSource>(std::move(root), std::move(paths), std::move(labels), std::move(list));
}

}  // namespace facex::data
