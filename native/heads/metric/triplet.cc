#include <ATen/Parallel.h>

#include <limits>
#include <string>
#include <vector>

#include "heads/metric/pair_losses.h"
#include "heads/options.h"

namespace facex::heads::metric {

namespace {

struct Sum {
  double loss = 0;
  int64_t triplets = 0;
};

// Negatives of one pair: `hardest` the nearest, `random` any one inside the margin, `semi-hard` any one inside the
// margin and still behind the positive, `all` each inside the margin.
class Miner {
 public:
  Miner(const HeadOptions& options, const PairBatch& batch, uint64_t seed)
      : batch_(batch), seed_(seed), margin_(number(options, "margin")), mining_(choice(options, "mining")) {}

  // The triplets of one anchor, which touch no other row of the gradient: rows may be mined in any order and at once.
  // `grad` [N] is that row for a sum of losses; `candidates` is room for the negatives of a pair.
  Sum mine(int64_t anchor, std::vector<int64_t>& candidates, double* grad) const {
    Sum sum;
    Random random(seed_, static_cast<uint64_t>(anchor));
    const auto add = [&](int64_t positive, int64_t negative) {
      sum.loss += loss(anchor, positive, negative);
      ++sum.triplets;
      grad[positive] += 1;
      grad[negative] -= 1;
    };
    for (int64_t positive = anchor + 1; positive < batch_.size; ++positive) {
      if (batch_.labels[positive] != batch_.labels[anchor]) continue;
      find(anchor, positive, candidates);
      if (candidates.empty()) continue;
      if (mining_ == "all") {
        for (const int64_t negative : candidates) add(positive, negative);
      } else {
        add(positive, mining_ == "hardest" ? nearest(anchor, candidates) : candidates[random.below(static_cast<uint32_t>(candidates.size()))]);
      }
    }
    return sum;
  }

 private:
  double loss(int64_t anchor, int64_t positive, int64_t negative) const {
    return batch_.squared_at(anchor, positive) - batch_.squared_at(anchor, negative) + margin_;
  }

  void find(int64_t anchor, int64_t positive, std::vector<int64_t>& candidates) const {
    const double most = mining_ == "semi-hard" ? margin_ : std::numeric_limits<double>::infinity();
    candidates.clear();
    for (int64_t other = 0; other < batch_.size; ++other) {
      if (batch_.labels[other] == batch_.labels[anchor]) continue;
      const double value = loss(anchor, positive, other);
      if (value > 0 && value < most) candidates.push_back(other);
    }
  }

  int64_t nearest(int64_t anchor, const std::vector<int64_t>& candidates) const {
    int64_t best = candidates.front();
    for (const int64_t other : candidates) {
      if (batch_.squared_at(anchor, other) < batch_.squared_at(anchor, best)) best = other;
    }
    return best;
  }

  const PairBatch& batch_;
  const uint64_t seed_;
  const double margin_;
  const std::string mining_;
};

}  // namespace

double triplet(const HeadOptions& options, const PairBatch& batch, Random& random, double* grad) {
  const Miner miner(options, batch, random.next());
  std::vector<Sum> rows(static_cast<size_t>(batch.size));
  at::parallel_for(0, batch.size, 1, [&](int64_t begin, int64_t end) {
    std::vector<int64_t> candidates;
    for (int64_t anchor = begin; anchor < end; ++anchor) rows[static_cast<size_t>(anchor)] = miner.mine(anchor, candidates, grad + anchor * batch.size);
  });
  // In the order of the batch, whatever thread mined a row.
  Sum total;
  for (const auto& [loss, triplets] : rows) total = {total.loss + loss, total.triplets + triplets};
  if (total.triplets == 0) return 0;
  const double share = 1 / static_cast<double>(total.triplets);
  for (int64_t i = 0; i < batch.size * batch.size; ++i) grad[i] *= share;
  return share * total.loss;
}

}  // namespace facex::heads::metric
