// Activations as the inner loops and the CUDA kernels see them: value and derivative at z, without branches so that loops
// vectorise.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "core/cuda/both.h"

namespace facex::engine::loops {

namespace {

// e^x to two units in the last place: x = n ln 2 + r with |r| <= ln 2 / 2, a polynomial for e^r, n into the exponent.
[[gnu::always_inline]] FACEX_BOTH inline float exponential(float x) {
  x = x < -87.0f ? -87.0f : x > 88.0f ? 88.0f : x;
  const float shifted = x * 1.44269504f + 12582912.0f;  // adding 1.5 * 2^23 rounds to an integer
  const float n = shifted - 12582912.0f;
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const int32_t exponent = std::bit_cast<int32_t>(shifted) - std::bit_cast<int32_t>(12582912.0f);
  return p * std::bit_cast<float>((exponent + 127) << 23);
}
[[gnu::always_inline]] FACEX_BOTH inline double exponential(double x) { return std::exp(x); }

template <typename W>
[[gnu::always_inline]] FACEX_BOTH inline W sigmoid(W z) {
  return W(1) / (W(1) + exponential(-z));
}

template <typename W>
[[gnu::always_inline]] FACEX_BOTH inline W clamp6(W z) {
  return z < W(0) ? W(0) : z > W(6) ? W(6) : z;
}

// Each: value(z, slope) and slope_at(z, slope), the derivative; `slope` matters to PReLU only. At kinks as in PyTorch.
struct Identity {
  template <typename W> FACEX_BOTH static W value(W z, W) { return z; }
  template <typename W> FACEX_BOTH static W slope_at(W, W) { return W(1); }
};
struct PRelu {
  template <typename W> FACEX_BOTH static W value(W z, W slope) { return z > W(0) ? z : slope * z; }
  template <typename W> FACEX_BOTH static W slope_at(W z, W slope) { return z > W(0) ? W(1) : slope; }
};
struct Relu {
  template <typename W> FACEX_BOTH static W value(W z, W) { return z > W(0) ? z : W(0); }
  template <typename W> FACEX_BOTH static W slope_at(W z, W) { return z > W(0) ? W(1) : W(0); }
};
struct Relu6 {
  template <typename W> FACEX_BOTH static W value(W z, W) { return clamp6(z); }
  template <typename W> FACEX_BOTH static W slope_at(W z, W) { return z > W(0) && z < W(6) ? W(1) : W(0); }
};
struct Sigmoid {
  template <typename W> FACEX_BOTH static W value(W z, W) { return sigmoid(z); }
  template <typename W> FACEX_BOTH static W slope_at(W z, W) {
    const W s = sigmoid(z);
    return s * (W(1) - s);
  }
};
struct Silu {
  template <typename W> FACEX_BOTH static W value(W z, W) { return z * sigmoid(z); }
  template <typename W> FACEX_BOTH static W slope_at(W z, W) {
    const W s = sigmoid(z);
    return s * (W(1) + z * (W(1) - s));
  }
};
struct HardSwish {
  template <typename W> FACEX_BOTH static W value(W z, W) { return z * clamp6(z + W(3)) * W(1.0 / 6); }
  template <typename W> FACEX_BOTH static W slope_at(W z, W) {
    return z <= W(-3) ? W(0) : z < W(3) ? (z + z + W(3)) * W(1.0 / 6) : W(1);
  }
};

}  // namespace

}  // namespace facex::engine::loops
