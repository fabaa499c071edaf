#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "heads/metric/pair_losses.h"
#include "heads/options.h"

namespace facex::heads::metric {

namespace {

// Under the root, so that the slope stays finite where two embeddings are the same.
constexpr double kSmall = 1e-9;

struct Pair {
  int32_t first, second;
  double squared;
};

// All pairs of the batch in which the first image stands before the second.
template <typename Body>
void for_pairs(const PairBatch& batch, const Body& body) {
  for (int64_t i = 0; i < batch.size; ++i) {
    for (int64_t j = i + 1; j < batch.size; ++j) body(i, j, batch.labels[i] == batch.labels[j]);
  }
}

// As many pairs of different identities as `wanted`: the nearest (`hardest`), any (`random`), or any inside the margin
// (`semi-hard`).
std::vector<Pair> mine(const PairBatch& batch, size_t wanted, const std::string& mining, double margin, Random& random) {
  std::vector<Pair> others;
  others.reserve(static_cast<size_t>(batch.size * (batch.size - 1) / 2));
  for_pairs(batch, [&](int64_t i, int64_t j, bool same) {
    const double squared = batch.squared_at(i, j);
    if (same || (mining == "semi-hard" && squared >= margin * margin)) return;
    others.push_back({static_cast<int32_t>(i), static_cast<int32_t>(j), squared});
  });
  wanted = std::min(wanted, others.size());
  const auto end = others.begin() + static_cast<std::ptrdiff_t>(wanted);
  if (mining == "hardest") {
    const auto key = [](const Pair& pair) { return std::tuple(pair.squared, pair.first, pair.second); };
    std::nth_element(others.begin(), end, others.end(), [&](const Pair& a, const Pair& b) { return key(a) < key(b); });
  } else {
    for (size_t i = 0; i < wanted; ++i) std::swap(others[i], others[i + random.below(static_cast<uint32_t>(others.size() - i))]);
  }
  others.resize(wanted);
  return others;
}

}  // namespace

double contrastive(const HeadOptions& options, const PairBatch& batch, Random& random, double* grad) {
  const std::string& mining = choice(options, "mining");
  const double margin = number(options, "margin");
  double loss = 0;
  size_t pairs = 0;
  const auto push = [&](int64_t i, int64_t j, double squared) {
    const double distance = std::sqrt(squared + kSmall), missing = std::max(0.0, margin - distance);
    loss += missing * missing;
    grad[i * batch.size + j] -= missing / distance;
    ++pairs;
  };
  for_pairs(batch, [&](int64_t i, int64_t j, bool same) {
    if (same) {
      loss += batch.squared_at(i, j);
      grad[i * batch.size + j] += 1;
      ++pairs;
    } else if (mining == "all") {
      push(i, j, batch.squared_at(i, j));
    }
  });
  if (mining != "all") {
    for (const Pair& pair : mine(batch, pairs, mining, margin, random)) push(pair.first, pair.second, pair.squared);
  }
  const double share = 1 / static_cast<double>(pairs);
  for (int64_t i = 0; i < batch.size * batch.size; ++i) grad[i] *= share;
  return share * loss;
}

}  // namespace facex::heads::metric
