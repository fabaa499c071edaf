// Time as the options have it, in seconds, and waiting that ends.
#pragma once

#include <chrono>
#include <thread>

namespace facex::distributed {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

inline std::chrono::milliseconds milliseconds(double seconds) { return std::chrono::milliseconds(static_cast<int64_t>(1000 * seconds)); }

// Returns when the condition holds, which is asked some times a second, or after `seconds`.
template <typename Condition>
void wait_until(const Condition& condition, double seconds) {
  const Clock::time_point begin = Clock::now();
  while (!condition() && seconds_since(begin) < seconds) std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

}  // namespace facex::distributed
