#include <vector>

#include "heads/metric/pair_losses.h"
#include "heads/options.h"

namespace facex::heads::metric {

namespace {

struct Triplet {
  int64_t anchor, positive, negative;
};

// Negatives of one pair: `hardest` the nearest, `random` any one inside the margin, `semi-hard` any one inside the
// margin and still behind the positive, `all` each inside the margin.
class Miner {
 public:
  Miner(const HeadOptions& options, const PairBatch& batch, Random& random)
      : batch_(batch), random_(random), margin_(number(options, "margin")), mining_(choice(options, "mining")) {}

  void add(int64_t anchor, int64_t positive, std::vector<Triplet>& chosen) {
    const double near = batch_.squared_at(anchor, positive);
    candidates_.clear();
    for (int64_t other = 0; other < batch_.size; ++other) {
      if (batch_.labels[other] == batch_.labels[anchor]) continue;
      const double loss = near - batch_.squared_at(anchor, other) + margin_;
      if (loss > 0 && (mining_ != "semi-hard" || loss < margin_)) candidates_.push_back(other);
    }
    if (candidates_.empty()) return;
    if (mining_ == "all") {
      for (const int64_t negative : candidates_) chosen.push_back({anchor, positive, negative});
    } else {
      chosen.push_back({anchor, positive, mining_ == "hardest" ? nearest(anchor) : any()});
    }
  }

 private:
  int64_t nearest(int64_t anchor) const {
    int64_t best = candidates_.front();
    for (const int64_t other : candidates_) {
      if (batch_.squared_at(anchor, other) < batch_.squared_at(anchor, best)) best = other;
    }
    return best;
  }
  int64_t any() { return candidates_[random_.below(static_cast<uint32_t>(candidates_.size()))]; }

  const PairBatch& batch_;
  Random& random_;
  const double margin_;
  const std::string mining_;
  std::vector<int64_t> candidates_;  // negatives of the pair at hand
};

}  // namespace

double triplet(const HeadOptions& options, const PairBatch& batch, Random& random, double* grad) {
  Miner miner(options, batch, random);
  std::vector<Triplet> chosen;
  for (int64_t anchor = 0; anchor < batch.size; ++anchor) {
    for (int64_t positive = anchor + 1; positive < batch.size; ++positive) {
      if (batch.labels[positive] == batch.labels[anchor]) miner.add(anchor, positive, chosen);
    }
  }
  const double margin = number(options, "margin"), share = 1 / static_cast<double>(chosen.size());
  double loss = 0;
  for (const auto& [anchor, positive, negative] : chosen) {
    loss += share * (batch.squared_at(anchor, positive) - batch.squared_at(anchor, negative) + margin);
    grad[anchor * batch.size + positive] += share;
    grad[anchor * batch.size + negative] -= share;
  }
  return loss;
}

}  // namespace facex::heads::metric
