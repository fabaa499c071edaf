// Work that may block for ever, done on a thread of its own.
//
// A store whose server hangs does not answer, and libtorch then waits without an end. Whoever must not wait so long has
// the work done apart, and leaves it behind together with its thread when it has seen enough.
#pragma once

#include <future>
#include <string>
#include <utility>

#include "distributed/messages.h"
#include "distributed/waiting.h"

namespace facex::distributed {

// What `work` returns or throws. It must own everything that it uses: `look` is called some times a second meanwhile, and
// may throw to give up.
template <typename Work, typename Look>
auto apart(Work work, const Look& look) -> decltype(work()) {
  std::packaged_task<decltype(work())()> task(std::move(work));
  auto result = task.get_future();
  std::thread(std::move(task)).detach();
  while (result.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready) look();
  return result.get();
}

// The same, given up after `seconds` with a PeerFailure that says `late`.
template <typename Work>
auto apart_within(double seconds, Work work, const std::string& late) -> decltype(work()) {
  return apart(std::move(work), [&, begin = Clock::now()] {
    if (seconds_since(begin) > seconds) fail_peers(late);
  });
}

}  // namespace facex::distributed
