// Images that could not be read, noted by any thread and reported once each.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "data/source.h"

namespace facex::data {

struct BadImage {
  std::string path;
  std::string reason;
};

class BadImages {
 public:
  void note(size_t index, BadImage image) {
    const std::lock_guard lock(mutex_);
    if (known_.insert(index).second) fresh_.emplace(index, std::move(image));
  }
  // Those noted since the last call, in order of their index.
  std::vector<BadImage> take() {
    const std::lock_guard lock(mutex_);
    std::vector<BadImage> taken;
    for (auto& [index, image] : fresh_) taken.push_back(std::move(image));
    fresh_.clear();
    return taken;
  }

 private:
  std::mutex mutex_;
  std::set<size_t> known_;
  std::map<size_t, BadImage> fresh_;
};

}  // namespace facex::data
