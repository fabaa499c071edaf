#include "data/decode.h"

#include <algorithm>
#include <initializer_list>

#include "core/error.h"
#include "data/jpeg.h"
#include "data/png.h"

namespace facex::data {

namespace {

enum class Format { kJpeg, kPng };

bool starts_with(Bytes file, std::initializer_list<uint8_t> magic) {
  return file.size() >= magic.size() && std::equal(magic.begin(), magic.end(), file.begin());
}

// By content: the extension of a downloaded file proves nothing.
Format format_of(Bytes file) {
  if (file.empty()) fail(ErrorCode::kData, "the file is empty");
  if (starts_with(file, {0xFF, 0xD8, 0xFF})) return Format::kJpeg;
  if (starts_with(file, {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'})) return Format::kPng;
  const char* looks = starts_with(file, {'G', 'I', 'F', '8'})   ? "; it looks like GIF"
                      : starts_with(file, {'B', 'M'})           ? "; it looks like BMP"
                      : starts_with(file, {'R', 'I', 'F', 'F'}) ? "; it looks like WebP"
                                                                : "";
  fail(ErrorCode::kData, "expected a JPEG or PNG image, found other content", looks);
}

void check_size(ImageSize size) {
  if (size.height <= 0 || size.width <= 0) fail(ErrorCode::kData, "the image has no pixels");
  if (static_cast<int64_t>(size.height) * size.width > kMaxPixels) {
    fail(ErrorCode::kData, "expected at most ", kMaxPixels >> 20, " megapixels, found ", size.width, " x ", size.height);
  }
}

}  // namespace

ImageSize read_size(Bytes file) {
  const ImageSize size = format_of(file) == Format::kJpeg ? JpegReader(file).size() : PngReader(file).size();
  check_size(size);
  return size;
}

void decode(Bytes file, Color color, Image& image) {
  const auto read = [&](auto&& reader) {
    const ImageSize size = reader.size();
    check_size(size);
    image.reshape(size.height, size.width);
    reader.read(color, image);
  };
  if (format_of(file) == Format::kJpeg) {
    read(JpegReader(file));
  } else {
    read(PngReader(file));
  }
}

std::map<std::string, std::string> image_library_versions() {
  return {{"libjpeg", jpeg_library_version()}, {"libpng", png_library_version()}};
}

}  // namespace facex::data
