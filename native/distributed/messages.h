// Words about ranks, and how a failure of theirs leaves this folder.
#pragma once

#include <cstdint>
#include <exception>
#include <sstream>
#include <string>
#include <vector>

#include "core/collective.h"

namespace facex::distributed {

// The parts streamed together.
template <typename... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream joined;
  (joined << ... << parts);
  return joined.str();
}

// Throws PeerFailure with the parts streamed together.
template <typename... Parts>
[[noreturn]] void fail_peers(const Parts&... parts) {
  throw PeerFailure(text(parts...));
}

// "rank 1" or "ranks 1, 3 and 4 more".
std::string name_ranks(const std::vector<int>& ranks);

// "20 s"
std::string seconds_text(double seconds);

// What libtorch says, without the page of stack behind it.
std::string reason(const std::exception& error);

// Values of the store.
std::string text_of(const std::vector<uint8_t>& bytes);
std::vector<uint8_t> bytes_of(const std::string& text);

}  // namespace facex::distributed
