// Plain softmax: logit_j = x . w_j, neither side normalised, no bias and no margin. The baseline of every comparison.
#include "heads/fused/fused_head.h"
#include "heads/fused/policies.h"

namespace facex::heads::fused {

namespace {

template <typename T>
struct Softmax : Margin<T> {
  static constexpr bool kSpherical = false;  // "cosine" is the product itself

  explicit Softmax(const HeadOptions&) {}

  TargetLogit<T> target(const Row<T>& row) const { return {row.cosine, T(1)}; }
};

}  // namespace

std::unique_ptr<Head> softmax(const Definition& definition, const HeadOptions& options) {
  return make_fused<Softmax>(definition, options);
}

}  // namespace facex::heads::fused
