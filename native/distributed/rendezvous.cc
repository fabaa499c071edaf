#include "distributed/rendezvous.h"

#include <cstdlib>
#include <thread>

#include <c10/util/Logging.h>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

namespace facex::distributed {

namespace {

using Clock = std::chrono::steady_clock;

std::chrono::milliseconds milliseconds(double seconds) { return std::chrono::milliseconds(static_cast<int64_t>(1000 * seconds)); }

// First line of what libtorch says.
std::string reason(const std::exception& error) {
  const std::string text = error.what();
  return text.substr(0, text.find('\n'));
}

Store open_store(const GroupOptions& options) {
  c10d::TCPStoreOptions tcp;
  tcp.port = options.port;
  tcp.isServer = options.serves && options.rank == 0;
  tcp.waitWorkers = false;
  tcp.timeout = milliseconds(options.join_seconds);
  try {
    const auto store = c10::make_intrusive<c10d::TCPStore>(options.master, tcp);
    return c10::make_intrusive<c10d::PrefixStore>("facex/" + options.attempt, store);
  } catch (const std::exception& error) {
    const std::string why = reason(error);
    if (why.find("EADDRINUSE") != std::string::npos || why.find("in use") != std::string::npos) {
      fail_peers("rank 0: port ", options.port, " is in use by another program; choose another with MASTER_PORT or --master_port");
    }
    fail_peers("rank ", options.rank, ": ", tcp.isServer ? "port " : "rank 0 cannot be reached at ", tcp.isServer ? "" : options.master + ":",
         options.port, tcp.isServer ? " cannot be opened: " : ": ", why);
  }
}

// What this rank and rank 0 believe must agree; whoever finds the difference says so.
void agree_on_size(const Store& store, const GroupOptions& options) {
  const std::string own = std::to_string(options.size);
  const std::string common = text_of(store->compareSet("size", {}, bytes_of(own)));
  if (common != own) {
    fail_peers("rank ", options.rank, ": WORLD_SIZE is ", own, ", but ", common, " for a rank that came earlier; start all ranks with one number");
  }
}

void wait_for_all(const Store& store, const GroupOptions& options) {
  const Clock::time_point end = Clock::now() + milliseconds(options.join_seconds);
  for (;;) {
    std::vector<int> missing;
    for (int rank = 0; rank < options.size; ++rank) {
      if (!store->check({beat_key(rank)})) missing.push_back(rank);
    }
    if (missing.empty()) return;
    if (Clock::now() > end) {
      fail_peers(name_ranks(missing), " of ", options.size, " did not come within ", options.join_seconds,
           " s (rank ", options.rank, " waited at ", options.master, ":", options.port, "); is WORLD_SIZE right, and is every process started?");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

// c10d reports every broken connection with a page of stack; what matters of it is in the exceptions.
void quiet_libtorch() {
  setenv("TORCH_CPP_LOG_LEVEL", "FATAL", /*overwrite=*/0);
  c10::initLogging();
}

}  // namespace

Store meet(const GroupOptions& options) {
  quiet_libtorch();
  if (options.size < 1 || options.rank < 0 || options.rank >= options.size) {
    fail_peers("expected a rank from 0 to ", options.size - 1, " (WORLD_SIZE ", options.size, "), got RANK ", options.rank);
  }
  const Store store = open_store(options);
  try {
    if (store->add("present/" + std::to_string(options.rank), 1) > 1) {
      fail_peers("two processes say that they are rank ", options.rank, " (", options.master, ":", options.port, "); give each its own RANK");
    }
    agree_on_size(store, options);
    store->set(beat_key(options.rank), bytes_of("0"));
    // Ranks are waited for where the store is near; the others then hear it with one question.
    if (options.rank == 0) {
      wait_for_all(store, options);
      store->set("complete", bytes_of("1"));
    } else {
      store->wait({"complete"}, milliseconds(options.join_seconds + 5));
    }
  } catch (const PeerFailure&) {
    throw;
  } catch (const std::exception& error) {
    fail_peers("rank ", options.rank, ": the group was not complete in time, or rank 0 at ", options.master, ":", options.port,
         " has ended: ", reason(error));
  }
  return store;
}

Store connection(const Store& store) { return store->clone(); }

std::string beat_key(int rank) { return "beat/" + std::to_string(rank); }

std::string name_ranks(const std::vector<int>& ranks) {
  constexpr size_t kShown = 8;
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  for (size_t i = 0; i < std::min(ranks.size(), kShown); ++i) text += (i == 0 ? "" : ", ") + std::to_string(ranks[i]);
  if (ranks.size() > kShown) text += " and " + std::to_string(ranks.size() - kShown) + " more";
  return text;
}

std::string text_of(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }
std::vector<uint8_t> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

}  // namespace facex::distributed
