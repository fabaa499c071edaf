// How the processes of a run find each other: a key-value store that rank 0 (or its launcher) serves, in which every
// rank says that it is there.
#pragma once

#include <string>

#include "distributed/backend.h"

namespace facex::distributed {

struct GroupOptions {
  int rank = 0, size = 1;
  std::string master = "127.0.0.1";  // name or address of the store's machine
  uint16_t port = 29500;
  bool serves = true;                // rank 0 only: the store is ours; false where a launcher serves it
  std::string attempt = "0";         // tells restarts apart where the store outlives them
  double join_seconds = 300;         // for all ranks to arrive
  double operation_seconds = 600;    // for one operation, the slowest rank's work before it included
  double silence_seconds = 20;       // a rank that has not been heard of for so long is dead
};

// Meets all other ranks. PeerFailure when the port is taken, the store cannot be reached, a rank is there twice, the
// ranks disagree about their number, or some do not come in time: the message names them.
Store meet(const GroupOptions& options);

// Another connection to the same store, for another thread.
Store connection(const Store& store);

// Names a rank's presence and its heartbeat in the store.
std::string beat_key(int rank);

}  // namespace facex::distributed
