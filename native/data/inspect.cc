#include "data/inspect.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <thread>

#include "core/error.h"

namespace facex::data {

namespace {

constexpr size_t kRun = 256;  // samples that a thread takes at once

ImageSize size_of(Bytes file, bool full, Image& image) {
  if (!full) return read_size(file);
  decode(file, Color::kBgr, image);
  return {image.height, image.width};
}

}  // namespace

Inspection inspect(const Source& source, int threads, bool full) {
  Inspection result;
  result.heights.resize(source.size());
  result.widths.resize(source.size());
  std::atomic<size_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    std::vector<uint8_t> buffer;
    Image image;
    const auto one = [&](size_t index) {
      try {
        const ImageSize size = size_of(source.read(index, buffer), full, image);
        if (std::max(size.height, size.width) > std::numeric_limits<uint16_t>::max()) {
          fail(ErrorCode::kData, "expected at most 65535 pixels a side, found ", size.width, " x ", size.height);
        }
        result.heights[index] = static_cast<uint16_t>(size.height);
        result.widths[index] = static_cast<uint16_t>(size.width);
      } catch (const Error& error) {
        const std::lock_guard lock(mutex);
        result.problems.emplace_back(index, error.what());
      }
    };
    try {
      for (size_t first = next.fetch_add(kRun); first < source.size(); first = next.fetch_add(kRun)) {
        for (size_t index = first; index < std::min(first + kRun, source.size()); index++) one(index);
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
      next = source.size();
    }
  };
  std::vector<std::thread> others;
  for (int i = 1; i < threads; i++) others.emplace_back(work);
  work();
  for (std::thread& thread : others) thread.join();
  if (failure) std::rethrow_exception(failure);
  std::sort(result.problems.begin(), result.problems.end());
  return result;
}

}  // namespace facex::data
