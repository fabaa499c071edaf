#include <algorithm>
#include <vector>

#include "heads/metric/pair_losses.h"
#include "heads/options.h"

namespace facex::heads::metric {

namespace {

// Under the root, so that the slope stays finite where two embeddings are the same.
constexpr double kSmall = 1e-9;

struct Pair {
  int64_t first, second;
  double squared;
};

// Which pairs of different identities count: `all`, or as many as there are pairs of one identity: the nearest
// (`hardest`), any (`random`), or any inside the margin (`semi-hard`).
void mine(std::vector<Pair>& others, size_t wanted, const HeadOptions& options, Random& random) {
  const std::string& mining = choice(options, "mining");
  const double margin = number(options, "margin");
  if (mining == "all") return;
  if (mining == "semi-hard") std::erase_if(others, [&](const Pair& pair) { return pair.squared >= margin * margin; });
  wanted = std::min(wanted, others.size());
  if (mining == "hardest") {
    std::stable_sort(others.begin(), others.end(), [](const Pair& a, const Pair& b) { return a.squared < b.squared; });
  } else {
    for (size_t i = 0; i < wanted; ++i) std::swap(others[i], others[i + random.below(static_cast<uint32_t>(others.size() - i))]);
  }
  others.resize(wanted);
}

}  // namespace

double contrastive(const HeadOptions& options, const PairBatch& batch, Random& random, double* grad) {
  std::vector<Pair> same, others;
  for (int64_t i = 0; i < batch.size; ++i) {
    for (int64_t j = i + 1; j < batch.size; ++j) {
      (batch.labels[i] == batch.labels[j] ? same : others).push_back({i, j, batch.squared_at(i, j)});
    }
  }
  mine(others, same.size(), options, random);
  const double margin = number(options, "margin"), share = 1 / static_cast<double>(same.size() + others.size());
  double loss = 0;
  for (const Pair& pair : same) {
    loss += share * pair.squared;
    grad[pair.first * batch.size + pair.second] += share;
  }
  for (const Pair& pair : others) {
    const double distance = std::sqrt(pair.squared + kSmall), missing = std::max(0.0, margin - distance);
    loss += share * missing * missing;
    grad[pair.first * batch.size + pair.second] -= share * missing / distance;
  }
  return loss;
}

}  // namespace facex::heads::metric
