// AM-Softmax / CosFace (arXiv:1801.05599, arXiv:1801.09414): logit_y = s (cos_y - m), logit_j = s cos_j.
// The gradient is exact; nothing special happens at cos = ±1.
#include "heads/fused/fused_head.h"
#include "heads/fused/policies.h"
#include "heads/options.h"

namespace facex::heads::fused {

namespace {

template <typename T>
struct AmSoftmax : Margin<T> {
  T margin;

  explicit AmSoftmax(const HeadOptions& options) : margin(number(options, "margin")) { this->scale = number(options, "scale"); }

  TargetLogit<T> target(const Row<T>& row) const { return {this->scale * (row.cosine - margin), this->scale}; }
};

}  // namespace

std::unique_ptr<Head> am_softmax(const Definition& definition, const HeadOptions& options) {
  return make_fused<AmSoftmax>(definition, options);
}

}  // namespace facex::heads::fused
