// Who is still alive. Every rank leaves a heartbeat in the store; rank 0 looks at all of them, the others at that of
// rank 0, and whoever finds a failure writes the one verdict that all ranks then end with.
//
// A store that is cut off does not answer, ever: only the watch's own thread talks to it, and no caller waits longer
// than the limits below.
#pragma once

#include <memory>
#include <string>

#include "distributed/rendezvous.h"

namespace facex::distributed {

class Watch {
 public:
  Watch(const Store& store, const GroupOptions& options);
  // Ends the heartbeat; does not wait long for a store that no longer answers.
  ~Watch();

  // Why the run has failed, as a message that names the rank; empty while all is well.
  std::string verdict() const;

  // Tells all ranks why this one ends, and returns what all end with: the first to say something wins.
  std::string report(const std::string& message);

  // After a verdict: gives the others some seconds to hear it from a store that ends with this process.
  void linger() const;

  // One more operation begun; a rank that hangs is the one that has begun fewest.
  void count_operation();

  // The ranks that have begun fewer operations than this one, for an operation that does not end.
  std::string laggards() const;

 private:
  // Outlives the object where the thread is stuck in a store that does not answer.
  struct Shared;

  std::shared_ptr<Shared> shared_;
};

}  // namespace facex::distributed
