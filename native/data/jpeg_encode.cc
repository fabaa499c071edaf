#include "data/jpeg_encode.h"

#include <csetjmp>
#include <cstdio>
#include <cstdlib>
// jpeglib.h needs size_t and FILE declared before it.
#include <jpeglib.h>

#include "core/error.h"

namespace facex::data {

namespace {

struct ErrorManager {
  jpeg_error_mgr base;  // first: libjpeg hands back a pointer to it
  std::jmp_buf jump;
};

void on_error(j_common_ptr info) { std::longjmp(reinterpret_cast<ErrorManager*>(info->err)->jump, 1); }

// No object with a destructor lives here: an error jumps out of the library.
bool compress(jpeg_compress_struct& info, ErrorManager& errors, const Image& image, Color color, int quality, uint8_t** out, unsigned long* size) {
  if (setjmp(errors.jump) != 0) return false;
  jpeg_create_compress(&info);
  jpeg_mem_dest(&info, out, size);
  info.image_width = static_cast<JDIMENSION>(image.width);
  info.image_height = static_cast<JDIMENSION>(image.height);
  info.input_components = 3;
  info.in_color_space = color == Color::kBgr ? JCS_EXT_BGR : JCS_EXT_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    auto* row = const_cast<uint8_t*>(image.row(static_cast<int>(info.next_scanline)));
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  return true;
}

}  // namespace

void encode_jpeg(const Image& image, Color color, int quality, std::vector<uint8_t>& file) {
  jpeg_compress_struct info{};
  ErrorManager errors{};
  info.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = on_error;
  uint8_t* out = nullptr;
  unsigned long size = 0;
  const bool done = compress(info, errors, image, color, quality, &out, &size);
  if (done) file.assign(out, out + size);
  jpeg_destroy_compress(&info);
  std::free(out);
  if (!done) fail(ErrorCode::kNative, "an image of ", image.width, " x ", image.height, " could not be encoded as JPEG");
}

}  // namespace facex::data
