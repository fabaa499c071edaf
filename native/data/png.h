// One PNG in memory; errors of libpng jump back as in jpeg.h.
#pragma once

#include <png.h>

#include <string>

#include "data/decode.h"

namespace facex::data {

class PngReader {
 public:
  // Reads the header. `file` must stay while the reader lives.
  explicit PngReader(Bytes file);
  ~PngReader();
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  ImageSize size() const { return size_; }
  // `image` has the shape of size().
  void read(Color color, Image& image);

 private:
  static void on_error(png_structp png, png_const_charp message);
  static void on_warning(png_structp, png_const_charp) {}
  static void on_read(png_structp png, png_bytep to, size_t count);

  bool read_header();
  bool read_rows(Color color, std::vector<png_bytep>& rows);
  [[noreturn]] void throw_error();

  Bytes rest_;  // not yet read by the library
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  ImageSize size_;
  char message_[160] = "";
};

std::string png_library_version();

}  // namespace facex::data
