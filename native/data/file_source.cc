// One file a sample. Millions of paths are one block of text and an offset each, not a string each.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "data/source.h"

namespace facex::data {

namespace {

// Larger than any image we decode; guards against a list that names a video or a disk image.
constexpr int64_t kMaxFileBytes = int64_t{1} << 30;

class File {
 public:
  explicit File(const std::string& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

[[noreturn]] void fail_io() { fail(ErrorCode::kData, std::strerror(errno)); }

class FileSource final : public Source {
 public:
  FileSource(std::string root, std::vector<char> paths, std::vector<int32_t> labels)
      : root_(std::move(root)), paths_(std::move(paths)), labels_(std::move(labels)) {
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
    const size_t begin = index == 0 ? 0 : ends_[index - 1] + 1;
    const std::string name(paths_.data() + begin, ends_[index] - begin);
    return name.starts_with('/') ? name : root_ + name;
  }

  Bytes read(size_t index, std::vector<uint8_t>& buffer) const override {
    const File file(path(index));
    struct stat status;
    if (file.descriptor() < 0 || ::fstat(file.descriptor(), &status) != 0) fail_io();
    if (!S_ISREG(status.st_mode)) fail(ErrorCode::kData, "expected a file, found a folder or device");
    if (status.st_size > kMaxFileBytes) fail(ErrorCode::kData, "expected an image, found a file of ", status.st_size, " bytes");
    const auto size = static_cast<size_t>(status.st_size);
    if (buffer.size() < size) buffer.resize(size);  // never shrinks: zeroing the rest again costs more than the memory
    size_t done = 0;
    while (done < size) {
      const ssize_t count = ::read(file.descriptor(), buffer.data() + done, size - done);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail_io();
      if (count == 0) break;  // the file became shorter meanwhile: the decoder will say so
      done += static_cast<size_t>(count);
    }
    return {buffer.data(), done};
  }

 private:
  std::string root_;
  std::vector<char> paths_;
  std::vector<uint64_t> ends_;  // position of each path's newline
  std::vector<int32_t> labels_;
};

}  // namespace

std::unique_ptr<Source> make_file_source(std::string root, std::vector<char> paths, std::vector<int32_t> labels) {
  return std::make_unique<FileSource>(std::move(root), std::move(paths), std::move(labels));
}

}  // namespace facex::data
