#include "data/png.h"

#include <csetjmp>
#include <cstdio>
#include <cstring>

#include "core/error.h"

namespace facex::data {

void PngReader::on_error(png_structp png, png_const_charp message) {
  auto* reader = static_cast<PngReader*>(png_get_error_ptr(png));
  std::snprintf(reader->message_, sizeof reader->message_, "%s", message);
  png_longjmp(png, 1);
}

void PngReader::on_read(png_structp png, png_bytep to, size_t count) {
  auto* reader = static_cast<PngReader*>(png_get_io_ptr(png));
  if (count > reader->rest_.size()) png_error(png, "the file ends too early");
  std::memcpy(to, reader->rest_.data(), count);
  reader->rest_ = reader->rest_.subspan(count);
}

PngReader::PngReader(Bytes file) : rest_(file) {
  png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
  if (png_ != nullptr) info_ = png_create_info_struct(png_);
  if (info_ == nullptr) {
    png_destroy_read_struct(&png_, &info_, nullptr);
    fail(ErrorCode::kOutOfMemory, "out of memory while opening a PNG image");
  }
  if (!read_header()) {
    png_destroy_read_struct(&png_, &info_, nullptr);
    throw_error();
  }
}

PngReader::~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }

bool PngReader::read_header() {
  if (setjmp(png_jmpbuf(png_)) != 0) return false;
  // Compressed text and profiles of a hostile file must not grow without bound.
  png_set_chunk_malloc_max(png_, 8u << 20);
  png_set_read_fn(png_, this, on_read);
  png_read_info(png_, info_);
  size_ = {static_cast<int>(png_get_image_height(png_, info_)), static_cast<int>(png_get_image_width(png_, info_))};
  return true;
}

bool PngReader::read_rows(Color color, std::vector<png_bytep>& rows) {
  if (setjmp(png_jmpbuf(png_)) != 0) return false;
  png_set_expand(png_);  // palettes, grey below 8 bits, transparency chunks
  png_set_strip_16(png_);
  png_set_strip_alpha(png_);
  png_set_gray_to_rgb(png_);
  if (color == Color::kBgr) png_set_bgr(png_);
  png_set_interlace_handling(png_);
  png_read_update_info(png_, info_);
  if (png_get_rowbytes(png_, info_) != static_cast<size_t>(size_.width) * 3) png_error(png_, "unsupported pixel format");
  png_read_image(png_, rows.data());
  png_read_end(png_, nullptr);
  return true;
}

void PngReader::read(Color color, Image& image) {
  std::vector<png_bytep> rows(static_cast<size_t>(image.height));
  for (int y = 0; y < image.height; y++) rows[static_cast<size_t>(y)] = image.row(y);
  if (!read_rows(color, rows)) throw_error();
}

void PngReader::throw_error() { fail(ErrorCode::kData, "damaged PNG: ", message_); }

std::string png_library_version() { return PNG_LIBPNG_VER_STRING; }

}  // namespace facex::data
