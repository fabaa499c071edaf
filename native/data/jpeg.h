// One JPEG in memory. libjpeg reports errors by a callback that must not return; here it jumps back into the method
// that called the library, which then throws.
#pragma once

#include <csetjmp>
#include <cstddef>
#include <cstdio>
// jpeglib.h needs size_t and FILE declared before it.
#include <jpeglib.h>

#include <string>

#include "data/decode.h"

namespace facex::data {

class JpegReader {
 public:
  // Reads the header. `file` must stay while the reader lives.
  explicit JpegReader(Bytes file);
  ~JpegReader();
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  ImageSize size() const;
  // `image` has the shape of size().
  void read(Color color, Image& image);

 private:
  struct ErrorManager {
    jpeg_error_mgr base;  // first: libjpeg hands back a pointer to it
    std::jmp_buf jump;
    char message[JMSG_LENGTH_MAX];
  };

  static void on_error(j_common_ptr info);
  static void on_message(j_common_ptr info, int level);
  static void on_progress(j_common_ptr info);

  bool read_header(Bytes file);
  bool start(Color color);
  bool read_rows(Image& image);
  [[noreturn]] void throw_error() const;

  jpeg_decompress_struct info_{};
  ErrorManager errors_{};
  jpeg_progress_mgr progress_{};
};

std::string jpeg_library_version();

}  // namespace facex::data
