// Cases of the CUDA kernels on the stand-in of the runtime, held against formulas in float64 that are written here anew.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <random>
#include <vector>

namespace facex::emulated {

using Values = std::vector<double>;

inline std::mt19937_64& generator() {
  static std::mt19937_64 found(1);
  return found;
}

inline Values normal(int64_t count, double scale = 1, double centre = 0) {
  std::normal_distribution<double> draw(centre, scale);
  Values values(count);
  for (double& value : values) value = draw(generator());
  return values;
}

// As the kernels get it.
template <typename T>
std::vector<T> stored(const Values& values) {
  std::vector<T> result;
  for (const double value : values) result.push_back(static_cast<T>(value));
  return result;
}

template <typename T>
Values widened(const std::vector<T>& values) {
  Values result;
  for (const T& value : values) result.push_back(static_cast<double>(static_cast<float>(value)));
  return result;
}
template <>
inline Values widened(const std::vector<double>& values) { return values; }

// Counts and names what is further than `tolerance` from the expected, relative to its largest magnitude where that is above 1.
struct Report {
  int checked = 0, failed = 0;

  void expect(const char* what, const char* kase, const Values& found, const Values& wanted, double tolerance) {
    double distance = found.size() == wanted.size() ? 0 : INFINITY, magnitude = 1;
    for (size_t i = 0; i < wanted.size() && i < found.size(); ++i) {
      distance = std::max(distance, std::isnan(found[i]) ? INFINITY : std::abs(found[i] - wanted[i]));
      magnitude = std::max(magnitude, std::abs(wanted[i]));
    }
    ++checked;
    if (distance <= tolerance * magnitude) return;
    ++failed;
    std::printf("%s, %s: off by %.2g of %.2g\n", kase, what, distance, magnitude);
  }
};

void check_batch_norm(Report& report);
void check_pixels(Report& report);
void check_heads(Report& report);

}  // namespace facex::emulated
