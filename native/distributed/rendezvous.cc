#include "distributed/rendezvous.h"

#include <cstdlib>

#include <c10/util/Logging.h>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "distributed/messages.h"
#include "distributed/waiting.h"

namespace facex::distributed {

namespace {

constexpr double kLingerSeconds = 3;
constexpr const char* kOutcome = "outcome";
constexpr const char* kComplete = "complete";

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

// What is wrong with the way this rank was started; empty when nothing is.
std::string contradiction(const Store& store, const GroupOptions& options) {
  if (store->add("present/" + std::to_string(options.rank), 1) > 1) {
    return text("two processes say that they are rank ", options.rank, " (", options.master, ":", options.port, "); give each its own RANK");
  }
  const std::string own = std::to_string(options.size);
  const std::string common = text_of(store->compareSet("size", {}, bytes_of(own)));
  if (common == own) return "";
  return text("WORLD_SIZE of rank ", options.rank, " is ", own, ", but ", common, " for a rank that came earlier; start all ranks with one number");
}

// Empty when all have come, or when one of them has found something wrong.
std::string wait_for_all(const Store& store, const GroupOptions& options) {
  std::vector<int> missing;
  const auto complete = [&] {
    missing.clear();
    if (store->check({kOutcome})) return true;
    for (int rank = 0; rank < options.size; ++rank) {
      if (!store->check({beat_key(rank)})) missing.push_back(rank);
    }
    return missing.empty();
  };
  wait_until(complete, options.join_seconds);
  if (missing.empty()) return "";
  return text(name_ranks(missing), " of ", options.size, " did not come within ", options.join_seconds, " s (rank 0 waited at ", options.master, ":",
              options.port, "); is WORLD_SIZE right, and is every process started?");
}

// Whether the group is complete, or what is wrong with it: whoever finds out first says so to all.
std::string outcome_of(const Store& store, const GroupOptions& options) {
  store->add("arrived", 1);
  std::string problem = contradiction(store, options);
  if (problem.empty()) {
    store->set(beat_key(options.rank), bytes_of("0"));
    // Ranks are waited for where the store is near; the others then hear it with one question.
    if (options.rank == 0) problem = wait_for_all(store, options);
  }
  if (!problem.empty() || options.rank == 0) {
    const std::string common = text_of(store->compareSet(kOutcome, {}, bytes_of(problem.empty() ? kComplete : problem)));
    return problem.empty() ? common : problem;
  }
  store->wait({kOutcome}, milliseconds(options.join_seconds + 5));
  return text_of(store->get(kOutcome));
}

// Rank 0 takes the store with it when it ends: the others must have heard why.
void say_and_linger(const Store& store, const GroupOptions& options) {
  store->add("told", 1);
  if (options.rank != 0 || !options.serves) return;
  wait_until([&] { return store->add("told", 0) >= store->add("arrived", 0); }, kLingerSeconds);
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
  for (const Clock::time_point begin = Clock::now();;) {
    const Store store = open_store(options);
    std::string outcome, broken;
    try {
      outcome = outcome_of(store, options);
      if (outcome == kComplete) return store;
      say_and_linger(store, options);
    } catch (const std::exception& error) {
      broken = reason(error);
    }
    if (!outcome.empty()) fail_peers("rank ", options.rank, " ends: ", outcome);
    // A restart may have met the store of the attempt before, on another machine, while it said good-bye.
    if (options.attempt != "0" && seconds_since(begin) < options.join_seconds) continue;
    fail_peers("rank ", options.rank, " ends: the group was not complete in time, or rank 0 at ", options.master, ":", options.port, " has ended: ", broken);
  }
}

Store connection(const Store& store) { return store->clone(); }

std::string beat_key(int rank) { return "beat/" + std::to_string(rank); }

}  // namespace facex::distributed
