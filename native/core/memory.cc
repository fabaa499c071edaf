#include "core/memory.h"

#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>
#include <sys/mman.h>

#include <cstring>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "core/error.h"

namespace facex {

namespace {

constexpr size_t kLarge = size_t{1} << 18;     // smaller blocks are the system's business
// Addresses asked of the system at once; pages that nobody touches cost nothing. One range for all leaves the fewest
// holes: of many small ones each ends in a hole of its own.
constexpr size_t kSegment = size_t{1} << 36;
constexpr size_t kSmallSegment = size_t{1} << 28;  // where the system limits addresses
constexpr size_t kHugePage = size_t{1} << 21;
// Blocks start at different offsets into their pages: kernels walk several tensors in step, and equal offsets make
// their loads wait for each other's stores.
constexpr size_t kStagger = 320;

size_t round_up(size_t size, size_t unit) { return (size + unit - 1) / unit * unit; }

// Best fit over segments from the system; neighbouring free blocks of a segment are joined.
class Pool {
 public:
  void* take(size_t wanted) {
    const std::lock_guard lock(mutex_);
    const size_t size = round_up(wanted, 64) + kStagger;
    auto fit = free_.lower_bound({size, nullptr});
    if (fit == free_.end()) {
      add_segment(size);
      fit = free_.lower_bound({size, nullptr});
    }
    const auto block = blocks_.find(fit->second);
    free_.erase(fit);
    block->second.free = false;
    if (block->second.size - size >= kLarge) {
      add_free(block->first + size, block->second.size - size, block->second.segment);
      block->second.size = size;
    }
    return block->first;
  }

  // False for memory that is not of this pool.
  bool give_back(void* memory) {
    const std::lock_guard lock(mutex_);
    auto block = blocks_.find(static_cast<char*>(memory));
    if (block == blocks_.end()) return false;
    if (const auto next = std::next(block); next != blocks_.end() && joins(block->second, next->second)) {
      free_.erase({next->second.size, next->first});
      block->second.size += next->second.size;
      blocks_.erase(next);
    }
    if (block != blocks_.begin()) {
      if (const auto before = std::prev(block); joins(block->second, before->second)) {
        free_.erase({before->second.size, before->first});
        before->second.size += block->second.size;
        blocks_.erase(block);
        block = before;
      }
    }
    block->second.free = true;
    free_.insert({block->second.size, block->first});
    return true;
  }

  void release() {
    const std::lock_guard lock(mutex_);
    for (const auto& [size, start] : free_) {
      const auto begin = round_up(reinterpret_cast<size_t>(start), kHugePage);
      const auto end = (reinterpret_cast<size_t>(start) + size) / kHugePage * kHugePage;
      if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
    }
  }

 private:
  struct Block {
    size_t size;
    size_t segment;
    bool free;
  };

  static bool joins(const Block& block, const Block& neighbour) { return neighbour.free && neighbour.segment == block.segment; }

  void add_free(char* start, size_t size, size_t segment) {
    blocks_[start] = {size, segment, true};
    free_.insert({size, start});
  }

  void add_segment(size_t wanted) {
    void* memory = MAP_FAILED;
    size_t size = 0;
    for (const size_t tried : {kSegment, kSmallSegment, size_t{0}}) {
      size = std::max(tried, round_up(wanted, kHugePage));
      memory = mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (memory != MAP_FAILED) break;
    }
    if (memory == MAP_FAILED) fail(ErrorCode::kOutOfMemory, "the system has no ", size >> 20, " MiB left for a tensor; use a smaller batch");
    auto* start = reinterpret_cast<char*>(round_up(reinterpret_cast<size_t>(memory), kHugePage));
#ifdef MADV_HUGEPAGE
    madvise(start, size, MADV_HUGEPAGE);
#endif
    add_free(start, size, ++segments_);
  }

  std::mutex mutex_;
  std::map<char*, Block> blocks_;            // all, by address
  std::set<std::pair<size_t, char*>> free_;  // by size
  size_t segments_ = 0;
};

Pool& pool() {
  static Pool* const shared = new Pool;  // never destroyed: tensors may outlive every other static
  return *shared;
}

void give_back(void* memory) {
  if (memory != nullptr && !pool().give_back(memory)) c10::free_cpu(memory);
}

class KeepingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t size) override {
    void* memory = size >= kLarge ? pool().take(size) : c10::alloc_cpu(size);
    return {memory, memory, &give_back, at::Device(at::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &give_back; }
  void copy_data(void* to, const void* from, std::size_t count) const override { std::memcpy(to, from, count); }
};

}  // namespace

void keep_freed_memory() {
  // libtorch holds on to the allocator for good.
  static const bool installed = [] {
    c10::SetCPUAllocator(new KeepingAllocator, /*priority=*/1);
    return true;
  }();
  static_cast<void>(installed);
}

void release_freed_memory() { pool().release(); }

}  // namespace facex
