#include "data/jpeg.h"

#include <jerror.h>

#include "core/error.h"

namespace facex::data {

namespace {

// A progressive file may hold thousands of scans that each cost a pass over the whole image; real files have about ten.
constexpr int kMaxScans = 200;

// libjpeg warns and goes on with invented pixels when data is damaged. Only these warnings leave every pixel intact:
// stray bytes between markers, unknown JFIF and Adobe versions, bytes after the image.
bool is_harmless(int warning) {
  switch (warning) {
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_ADOBE_XFORM:
    case JWRN_TOO_MUCH_DATA:
      return true;
    default:
      return false;
  }
}

// CMYK [W, 4] to colour [W, 3]; Adobe programs store it inverted. No colour profile is applied.
void convert_cmyk(const uint8_t* from, uint8_t* to, int width, bool inverted, Color color) {
  const int red = color == Color::kRgb ? 0 : 2;
  for (int x = 0; x < width; x++, from += 4, to += 3) {
    const int flip = inverted ? 0 : 255;
    const int k = from[3] ^ flip;
    for (int c = 0; c < 3; c++) to[c == 0 ? red : c == 2 ? 2 - red : 1] = static_cast<uint8_t>(((from[c] ^ flip) * k + 127) / 255);
  }
}

}  // namespace

void JpegReader::on_error(j_common_ptr info) {
  auto* errors = reinterpret_cast<ErrorManager*>(info->err);
  info->err->format_message(info, errors->message);
  std::longjmp(errors->jump, 1);
}

void JpegReader::on_message(j_common_ptr info, int level) {
  // Negative levels are warnings, the others traces.
  if (level < 0 && !is_harmless(info->err->msg_code)) on_error(info);
}

void JpegReader::on_progress(j_common_ptr info) {
  auto* decompress = reinterpret_cast<j_decompress_ptr>(info);
  if (decompress->input_scan_number <= kMaxScans) return;
  auto* errors = reinterpret_cast<ErrorManager*>(info->err);
  std::snprintf(errors->message, sizeof errors->message, "more than %d progressive scans", kMaxScans);
  std::longjmp(errors->jump, 1);
}

JpegReader::JpegReader(Bytes file) {
  info_.err = jpeg_std_error(&errors_.base);
  errors_.base.error_exit = on_error;
  errors_.base.emit_message = on_message;
  progress_.progress_monitor = on_progress;
  if (!read_header(file)) {
    jpeg_destroy_decompress(&info_);
    throw_error();
  }
}

JpegReader::~JpegReader() { jpeg_destroy_decompress(&info_); }

// Between setjmp and the library's calls there is no object with a destructor: a jump would skip it. So each step is
// a method of its own.
bool JpegReader::read_header(Bytes file) {
  if (setjmp(errors_.jump) != 0) return false;
  jpeg_create_decompress(&info_);
  info_.progress = &progress_;
  jpeg_mem_src(&info_, file.data(), file.size());
  jpeg_read_header(&info_, TRUE);
  return true;
}

ImageSize JpegReader::size() const {
  return {static_cast<int>(info_.image_height), static_cast<int>(info_.image_width)};
}

bool JpegReader::start(Color color) {
  if (setjmp(errors_.jump) != 0) return false;
  const bool four_inks = info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK;
  info_.out_color_space = four_inks ? JCS_CMYK : color == Color::kBgr ? JCS_EXT_BGR : JCS_EXT_RGB;
  jpeg_start_decompress(&info_);
  return true;
}

bool JpegReader::read_rows(Image& image) {
  if (setjmp(errors_.jump) != 0) return false;
  while (info_.output_scanline < info_.output_height) {
    // Up to the library's own row group at once.
    JSAMPROW rows[8];
    const int first = static_cast<int>(info_.output_scanline);
    const int count = std::min(8, image.height - first);
    for (int i = 0; i < count; i++) rows[i] = image.row(first + i);
    jpeg_read_scanlines(&info_, rows, static_cast<JDIMENSION>(count));
  }
  jpeg_finish_decompress(&info_);
  return true;
}

void JpegReader::read(Color color, Image& image) {
  if (!start(color)) throw_error();
  if (info_.output_components == 3) {
    if (!read_rows(image)) throw_error();
    return;
  }
  // CMYK goes through a four-channel image laid over a wider buffer.
  Image inks;
  inks.reshape(image.height, (image.width * 4 + 2) / 3);
  if (!read_rows(inks)) throw_error();
  for (int y = 0; y < image.height; y++) {
    convert_cmyk(inks.row(y), image.row(y), image.width, info_.saw_Adobe_marker != 0, color);
  }
}

void JpegReader::throw_error() const { fail(ErrorCode::kData, "damaged JPEG: ", errors_.message); }

std::string jpeg_library_version() {
#ifdef LIBJPEG_TURBO_VERSION
#define FACEX_TEXT(x) #x
#define FACEX_VALUE(x) FACEX_TEXT(x)
  return "libjpeg-turbo " FACEX_VALUE(LIBJPEG_TURBO_VERSION);
#undef FACEX_VALUE
#undef FACEX_TEXT
#else
  return "libjpeg " + std::to_string(JPEG_LIB_VERSION);
#endif
}

}  // namespace facex::data
