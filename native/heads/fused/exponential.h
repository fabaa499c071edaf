// The one transcendental loop of the fused heads: exp over a run of logits.
#pragma once

#include <cstdint>

namespace facex::heads::fused {

float maximum(const float* x, int64_t n);
double maximum(const double* x, int64_t n);

// x[i] = exp(x[i] - shift); returns the sum. `shift` is at least max(x), so nothing overflows. The float version is
// accurate to 2 units in the last place.
float exp_shifted(float* x, int64_t n, float shift);
double exp_shifted(double* x, int64_t n, double shift);

}  // namespace facex::heads::fused
