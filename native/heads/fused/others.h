// Logits of the other classes as functions of their cosine: one form for each family of heads, used by the CPU's loops and
// by the CUDA kernels. `threshold` is the row's own number, see Row.
#pragma once

#include <cmath>
#include <cstring>
#include <type_traits>

#include "core/cuda/both.h"

namespace facex::heads::fused {

enum class OthersKind { kScaled, kMined, kCurricular, kCircle, kArcNeg };

// A plain scaled cosine.
template <typename T>
struct ScaledOthers {
  static constexpr OthersKind kKind = OthersKind::kScaled;
  T scale;

  FACEX_BOTH T value(T cosine, T) const { return scale * cosine; }
  FACEX_BOTH T slope(T, T) const { return scale; }
};

// s (weight cos + offset) above the threshold, else s cos.
template <typename T>
struct MinedOthers {
  static constexpr OthersKind kKind = OthersKind::kMined;
  T scale, weight, offset;

  FACEX_BOTH T value(T cosine, T threshold) const { return scale * (cosine > threshold ? weight * cosine + offset : cosine); }
  FACEX_BOTH T slope(T cosine, T threshold) const { return cosine > threshold ? scale * weight : scale; }
};

// s cos (t + cos) above the threshold, else s cos.
template <typename T>
struct CurricularOthers {
  static constexpr OthersKind kKind = OthersKind::kCurricular;
  T scale, t;

  FACEX_BOTH T value(T cosine, T threshold) const { return scale * cosine * (cosine > threshold ? t + cosine : T(1)); }
  FACEX_BOTH T slope(T cosine, T threshold) const { return scale * (cosine > threshold ? t + 2 * cosine : T(1)); }
};

// gamma a (cos - m), a = max(cos + m, 0) constant in the gradient.
template <typename T>
struct CircleOthers {
  static constexpr OthersKind kKind = OthersKind::kCircle;
  T gamma, margin;

  FACEX_BOTH T slope(T cosine, T) const { return gamma * (cosine + margin > T(0) ? cosine + margin : T(0)); }
  FACEX_BOTH T value(T cosine, T threshold) const { return slope(cosine, threshold) * (cosine - margin); }
};

// s (r cos + r - 1), r = alpha exp(-(cos - threshold)^2 / sigma) constant in the gradient.
template <typename T>
struct ArcNegOthers {
  static constexpr OthersKind kKind = OthersKind::kArcNeg;
  T scale, alpha, inverse_sigma;

  FACEX_BOTH T weight(T cosine, T threshold) const { return alpha * std::exp(-(cosine - threshold) * (cosine - threshold) * inverse_sigma); }
  FACEX_BOTH T value(T cosine, T threshold) const {
    const T r = weight(cosine, threshold);
    return scale * (r * cosine + r - 1);
  }
  FACEX_BOTH T slope(T cosine, T threshold) const { return scale * weight(cosine, threshold); }
};

// Any of the forms, as it travels to the kernels.
struct AnyForm {
  OthersKind kind;
  alignas(8) unsigned char bytes[3 * sizeof(double)];

  template <typename Form>
  static AnyForm of(const Form& form) {
    static_assert(std::is_trivially_copyable_v<Form> && sizeof(Form) <= sizeof(bytes));
    AnyForm any{Form::kKind, {}};
    std::memcpy(any.bytes, &form, sizeof(Form));
    return any;
  }

  template <typename Form>
  Form as() const {
    Form form;
    std::memcpy(&form, bytes, sizeof(Form));
    return form;
  }
};

}  // namespace facex::heads::fused
