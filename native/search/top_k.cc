#include "search/top_k.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "core/product.h"

namespace facex::search {

namespace {

constexpr int64_t kTileRows = 2048;
constexpr int64_t kTileProbes = 128;  // scores of one product fit the second cache

bool better(const Hit& a, const Hit& b) { return a.score > b.score || (a.score == b.score && a.row < b.row); }

void check_rows(const Tensor& rows, const char* what, int64_t width) {
  if (rows.dim() != 2 || rows.scalar_type() != at::kFloat || (width > 0 && rows.size(1) != width)) {
    fail(ErrorCode::kConfig, "search: expected ", what, " as float32 [N, ", width > 0 ? std::to_string(width) : "D", "], got ", rows.sizes());
  }
}

// Copies rows, each divided by its length; sums are float64, so that the copy does not depend on vector widths.
void copy_unit_rows(const float* from, float* to, int64_t rows, int64_t width, int64_t first, const char* what) {
  at::parallel_for(0, rows, 256, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      const float* source = from + row * width;
      double sum = 0;
      for (int64_t d = 0; d < width; d++) sum += double{source[d]} * source[d];
      if (!(sum > 0) || !std::isfinite(sum)) {
        fail(ErrorCode::kNonFinite, "search: ", what, " ", first + row, ": expected finite values that are not all zero, found norm ", std::sqrt(sum));
      }
      const double scale = 1 / std::sqrt(sum);
      for (int64_t d = 0; d < width; d++) to[row * width + d] = static_cast<float>(source[d] * scale);
    }
  });
}

}  // namespace

TopK::TopK(const Tensor& probes, int64_t k) : k_(k) {
  check_rows(probes, "probes", 0);
  if (k < 1) fail(ErrorCode::kConfig, "search: expected k of at least 1, got ", k);
  const int64_t width = probes.size(1);
  probes_ = at::empty(probes.sizes(), at::kFloat);
  copy_unit_rows(probes.const_data_ptr<float>(), probes_.mutable_data_ptr<float>(), probes.size(0), width, 0, "probe");
  tile_ = at::empty({kTileRows, width}, at::kFloat);
  best_.resize(static_cast<size_t>(probes.size(0)));
}

void TopK::add(const Tensor& gallery) {
  const int64_t width = probes_.size(1);
  check_rows(gallery, "the gallery", width);
  for (int64_t row = 0; row < gallery.size(0);) {
    const int64_t count = std::min(kTileRows - filled_, gallery.size(0) - row);
    copy_unit_rows(gallery.const_data_ptr<float>() + row * width, tile_.mutable_data_ptr<float>() + filled_ * width, count, width, first_row_ + filled_, "gallery row");
    row += count;
    filled_ += count;
    if (filled_ == kTileRows) search_tile();
  }
}

const std::vector<std::vector<Hit>>& TopK::finish() {
  if (filled_ > 0) search_tile();
  for (std::vector<Hit>& hits : best_) std::sort(hits.begin(), hits.end(), better);
  return best_;
}

// Probes are shared out among the threads; a product inside runs on one.
void TopK::search_tile() {
  const int64_t probes = probes_.size(0);
  const Tensor gallery = tile_.narrow(0, 0, filled_).t();
  at::parallel_for(0, (probes + kTileProbes - 1) / kTileProbes, 1, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; block++) {
      const int64_t first = block * kTileProbes;
      const Tensor scores = product(probes_.narrow(0, first, std::min(kTileProbes, probes - first)), gallery);
      for (int64_t i = 0; i < scores.size(0); i++) {
        const float* row = scores.const_data_ptr<float>() + i * filled_;
        std::vector<Hit>& heap = best_[static_cast<size_t>(first + i)];  // the worst of the best stands first
        for (int64_t j = 0; j < filled_; j++) {
          const bool full = static_cast<int64_t>(heap.size()) == k_;
          // Rows come in order: an equal score later is never better.
          if (full && row[j] <= heap.front().score) continue;
          if (full) {
            std::pop_heap(heap.begin(), heap.end(), better);
            heap.pop_back();
          }
          heap.push_back({row[j], first_row_ + j});
          std::push_heap(heap.begin(), heap.end(), better);
        }
      }
    }
  });
  first_row_ += filled_;
  filled_ = 0;
}

}  // namespace facex::search
