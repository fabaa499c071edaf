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

// Not blocking: a list that names a pipe must not hang.
constexpr int kReading = O_RDONLY | O_CLOEXEC | O_NONBLOCK;

class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}

  // Up to `room` bytes; 0 at the end of the file.
  size_t read(uint8_t* to, size_t room) const {
    ssize_t count;
    do count = ::read(descriptor_.get(), to, room);
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
    if (::fstat(descriptor_.get(), &status) != 0) fail(ErrorCode::kData, std::strerror(errno));
    if (!S_ISREG(status.st_mode)) fail(ErrorCode::kData, "expected a file, found a folder or device");
    if (status.st_size > kMaxFileBytes) fail(ErrorCode::kData, "expected an image, found a file of ", status.st_size, " bytes");
    return static_cast<size_t>(status.st_size);
  }

 private:
  Descriptor descriptor_;
};

class FileSource final : public Source {
 public:
  FileSource(std::string root, std::vector<char> paths, std::vector<int32_t> labels, ListPlace list)
      : root_(std::move(root)),
        folder_(::open(root_.empty() ? "." : root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
        names_(std::move(paths)),
        labels_(std::move(labels)),
        list_(std::move(list)) {
    if (!root_.empty() && root_.back() != '/') root_ += '/';
    ends_.reserve(labels_.size());
    for (size_t at = 0; at < names_.size(); at++) {
      if (names_[at] != '\n') continue;
      names_[at] = '\0';
      ends_.push_back(at);
    }
    if (ends_.size() != labels_.size()) {
      fail(ErrorCode::kData, "expected a label for each path, got ", ends_.size(), " paths and ", labels_.size(), " labels");
    }
  }

  size_t size() const override { return labels_.size(); }
  int64_t label(size_t index) const override { return labels_[index]; }

  std::string path(size_t index) const override {
    if (list_.file.empty()) return full_name(index);
    size_t line = index + 1;
    for (const uint32_t skipped : list_.skipped_lines) {
      if (skipped > line) break;
      line++;
    }
    return list_.file + ":" + std::to_string(line) + ": " + name(index);
  }

  Bytes read(size_t index, std::vector<uint8_t>& buffer) const override {
    const File file = open(index);
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
  // Below the open folder: the kernel does not walk the root's path again for each image.
  File open(size_t index) const {
    int descriptor = ::openat(folder_.get(), name(index), kReading);
    if (descriptor < 0) {
      // Once more by the whole name: the folder may have been mounted anew, and only this says what is missing.
      const std::string path = full_name(index);
      descriptor = ::open(path.c_str(), kReading);
      if (descriptor < 0) fail(ErrorCode::kData, "cannot open ", path, ": ", std::strerror(errno));
    }
    return File(descriptor);
  }

  const char* name(size_t index) const { return names_.data() + (index == 0 ? 0 : ends_[index - 1] + 1); }

  std::string full_name(size_t index) const {
    std::string found = name(index);
    return found.starts_with('/') ? found : root_ + found;
  }

  std::string root_;
  Descriptor folder_;
  std::vector<char> names_;     // each ended by 0
  std::vector<uint64_t> ends_;  // position of each name's 0
  std::vector<int32_t> labels_;
  ListPlace list_;
};

}  // namespace

std::unique_ptr<Source> make_file_source(std::string root, std::vector<char> paths, std::vector<int32_t> labels, ListPlace list) {
  return std::make_unique<FileSource>(std::move(root), std::move(paths), std::move(labels), std::move(list));
}

}  // namespace facex::data
