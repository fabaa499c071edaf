#include "data/scan.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "core/error.h"

namespace facex::data {

namespace {

constexpr size_t kSamplesAtOnce = 256;  // samples that a thread takes at once

}  // namespace

ScanProblems scan(const Source& source, int threads, const ScanWork& work) {
  ScanProblems problems;
  std::atomic<size_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto run = [&] {
    std::vector<uint8_t> buffer;
    Image image;
    const auto one = [&](size_t index) {
      try {
        work(index, source.read(index, buffer), image);
      } catch (const Error& error) {
        const std::lock_guard lock(mutex);
        problems.emplace_back(index, error.what());
      }
    };
    try {
      for (size_t first = next.fetch_add(kSamplesAtOnce); first < source.size(); first = next.fetch_add(kSamplesAtOnce)) {
        for (size_t index = first; index < std::min(first + kSamplesAtOnce, source.size()); index++) one(index);
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
      next = source.size();
    }
  };
  std::vector<std::thread> others;
  for (int i = 1; i < threads; i++) others.emplace_back(run);
  run();
  for (std::thread& thread : others) thread.join();
  if (failure) std::rethrow_exception(failure);
  std::sort(problems.begin(), problems.end());
  return problems;
}

}  // namespace facex::data
