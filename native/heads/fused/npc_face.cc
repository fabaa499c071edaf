// NPCFace (arXiv:2007.10172): a hard negative also strengthens the margin of the positive.
//   hard_j     : cos_j > cos(theta_y + m), j != y
//   m_y        = 0.40 + 0.20 mean over hard j of cos_j (0 when there are none)
//   logit_y    = s cos(theta_y + m_y) where cos_y > 0, else s cos_y
//   logit_j    = s (1.10 cos_j + 0.20) where hard, else s cos_j
// m_y and the set of hard classes are constant in the gradient. At cos_y = ±1 see [Note: the sine at cos = ±1].
#include "heads/fused/fused_head.h"
#include "heads/fused/mined.h"
#include "heads/fused/policies.h"
#include "heads/options.h"

namespace facex::heads::fused {

namespace {

constexpr double kBaseMargin = 0.40, kHardMargin = 0.20, kHardWeight = 1.10, kHardOffset = 0.20;

template <typename T>
struct NpcFace : MinedMargin<T> {
  static constexpr bool kOnCuda = false;  // reads all cosines for its margins

  const T cos_m, sin_m;

  explicit NpcFace(const HeadOptions& options) : cos_m(std::cos(number(options, "margin"))), sin_m(std::sin(number(options, "margin"))) {
    this->scale = number(options, "scale");
    this->weight = kHardWeight;
    this->offset = kHardOffset;
  }

  void prepare(Step<T>& step) {
    for (Row<T>& row : step.rows) row.threshold = add_angle(row.cosine, cos_m, sin_m).value;
    step.scan([](Row<T>& row, const T* cosines, int64_t first, int64_t count) {
      for (int64_t j = 0; j < count; ++j) {
        const bool hard = cosines[j] > row.threshold && first + j != row.label;
        row.total += hard ? cosines[j] : T(0);
        row.count += hard ? T(1) : T(0);
      }
    });
    for (Row<T>& row : step.rows) row.margin = T(kBaseMargin) + T(kHardMargin) * row.total / std::max(row.count, T(1));
  }

  TargetLogit<T> target(const Row<T>& row) const {
    if (row.cosine > 0) return scaled(add_angle(row.cosine, std::cos(row.margin), std::sin(row.margin)), this->scale);
    return {this->scale * row.cosine, this->scale};
  }
};

}  // namespace

std::unique_ptr<Head> npc_face(const Definition& definition, const HeadOptions& options) {
  return make_fused<NpcFace>(definition, options);
}

}  // namespace facex::heads::fused
