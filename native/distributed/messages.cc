#include "distributed/messages.h"

#include <algorithm>

namespace facex::distributed {

std::string name_ranks(const std::vector<int>& ranks) {
  constexpr size_t kShown = 8;
  std::string names = ranks.size() == 1 ? "rank " : "ranks ";
  for (size_t i = 0; i < std::min(ranks.size(), kShown); ++i) names += (i == 0 ? "" : ", ") + std::to_string(ranks[i]);
  if (ranks.size() > kShown) names += " and " + std::to_string(ranks.size() - kShown) + " more";
  return names;
}

std::string seconds_text(double seconds) { return std::to_string(static_cast<int64_t>(seconds)) + " s"; }

std::string reason(const std::exception& error) {
  const std::string whole = error.what();
  return whole.substr(0, whole.find('\n'));
}

std::string text_of(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }
std::vector<uint8_t> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

}  // namespace facex::distributed
