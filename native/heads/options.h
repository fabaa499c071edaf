// Reading a head's options. TypeScript has checked them and filled in defaults; what is missing here is a mistake in
// lib/heads, and the message says which key of which head.
#pragma once

#include "core/error.h"
#include "heads/head.h"

namespace facex::heads {

inline double number(const HeadOptions& options, const std::string& key) {
  const auto found = options.values.find(key);
  if (found == options.values.end()) fail(ErrorCode::kConfig, "head ", options.name, ": expected a number for ", key, ", got nothing");
  return found->second;
}

inline const std::string& choice(const HeadOptions& options, const std::string& key) {
  const auto found = options.choices.find(key);
  if (found == options.choices.end()) fail(ErrorCode::kConfig, "head ", options.name, ": expected a choice for ", key, ", got nothing");
  return found->second;
}

}  // namespace facex::heads
