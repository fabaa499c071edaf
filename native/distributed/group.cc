#include "distributed/group.h"

#include <ATen/ops/empty.h>

#include <thread>
#include <utility>

#include "distributed/apart.h"

namespace facex::distributed {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double kFarewellSeconds = 5;
constexpr std::chrono::milliseconds kGlance{200};  // between looks at the watch while waiting

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

std::string first_line(const char* text) {
  const std::string whole = text;
  return whole.substr(0, whole.find('\n'));
}

c10d::ReduceOp operation(Reduction reduction) { return reduction == Reduction::kSum ? c10d::ReduceOp::SUM : c10d::ReduceOp::MAX; }

// The value of a key that another rank will write.
std::string await_text(const Store& store, const std::string& key, const GroupOptions& options, int from) {
  const Clock::time_point begin = Clock::now();
  try {
    store->wait({key}, std::chrono::milliseconds(static_cast<int64_t>(1000 * options.operation_seconds)));
  } catch (const std::exception&) {
    if (seconds_since(begin) < options.operation_seconds) throw;
    fail_peers(name_ranks({from}), " did not take part in an exchange for ", static_cast<int64_t>(options.operation_seconds), " s");
  }
  return text_of(store->get(key));
}

std::string exchange_key(int64_t number) { return "exchange/" + std::to_string(number) + "/"; }

// Whoever has written to an exchange has read the one before.
void forget_exchange(const Store& store, const GroupOptions& options, int64_t number) {
  if (number < 0) return;
  const std::string key = exchange_key(number);
  for (int rank = 1; rank < options.size; ++rank) store->deleteKey(key + std::to_string(rank));
  store->deleteKey(key + "all");
}

// The server of the store ends after everybody else.
void say_farewell(const Store& store, const GroupOptions& options) {
  store->add("left", 1);
  const Clock::time_point begin = Clock::now();
  while (options.rank == 0 && options.serves && store->add("left", 0) < options.size && seconds_since(begin) < kFarewellSeconds) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

// meet(), but a store that stops answering in the middle of it does not hold up anybody.
Store meet_in_time(const GroupOptions& options) {
  const double limit = 2 * options.join_seconds + options.silence_seconds;
  return apart([options] { return meet(options); }, [&options, limit, begin = Clock::now()] {
    if (seconds_since(begin) <= limit) return;
    fail_peers("rank ", options.rank, ": rank 0 at ", options.master, ":", options.port, " does not answer: it hangs, or the network is cut");
  });
}

// Rank 0 collects and hands out: each of the others asks for one thing only.
std::vector<std::string> exchange_texts(const Store& store, const GroupOptions& options, const std::string& text, int64_t number) {
  const std::string key = exchange_key(number);
  std::vector<std::string> texts;
  if (options.rank == 0) {
    std::string all;
    for (int rank = 0; rank < options.size; ++rank) {
      texts.push_back(rank == 0 ? text : await_text(store, key + std::to_string(rank), options, rank));
      all += std::to_string(texts.back().size()) + ":" + texts.back();
    }
    store->set(key + "all", bytes_of(all));
    forget_exchange(store, options, number - 1);
    return texts;
  }
  store->set(key + std::to_string(options.rank), bytes_of(text));
  const std::string all = await_text(store, key + "all", options, 0);
  for (size_t at = 0; at < all.size();) {
    const size_t colon = all.find(':', at), length = std::stoul(all.substr(at, colon - at));
    texts.push_back(all.substr(colon + 1, length));
    at = colon + 1 + length;
  }
  return texts;
}

}  // namespace

class Operation final : public Collective::Pending {
 public:
  Operation(Group& group, c10::intrusive_ptr<c10d::Work> work, Tensor kept) : group_(group), work_(std::move(work)), kept_(std::move(kept)) {}
  void wait() override { group_.wait_for(*work_); }

 private:
  Group& group_;
  c10::intrusive_ptr<c10d::Work> work_;
  Tensor kept_;  // alive until the operation has ended
};

Group::Group(const GroupOptions& options) : options_(options), store_(meet_in_time(options)) {
  watch_ = std::make_unique<Watch>(store_, options_);
  try {
    backend_ = connect();
  } catch (const PeerFailure&) {
    watch_->linger();
    throw;
  }
}

Group::~Group() { leave(); }

Backend Group::connect() {
  const std::chrono::milliseconds timeout(static_cast<int64_t>(1000 * (options_.operation_seconds + options_.silence_seconds)));
  const BackendOptions own{options_.rank, options_.size, options_.master, timeout};
  try {
    return apart([store = store_, own] { return make_gloo(store, own); }, [this] { give_up_on_verdict(); });
  } catch (const PeerFailure&) {
    throw;
  } catch (const std::exception& error) {
    give_up(std::string("no connection to the other ranks: ") + first_line(error.what()));
  }
}

void Group::leave() {
  if (left_.exchange(true)) return;
  if (failed_ || !watch_->verdict().empty()) {
    watch_->linger();
    static_cast<void>(backend_.release());
    return;
  }
  try {
    exchange("done");  // rank 0 serves the store and leaves last
  } catch (const PeerFailure&) {
    // Somebody has failed at the very end; that is its own business.
    static_cast<void>(backend_.release());
    return;
  }
  watch_.reset();
  try {
    apart(
        [store = store_, options = options_, backend = std::exchange(backend_, {})]() mutable {
          backend.reset();
          say_farewell(store, options);
        },
        [begin = Clock::now()] {
          if (seconds_since(begin) > 2 * kFarewellSeconds) fail_peers("no farewell");
        });
  } catch (const std::exception&) {
    // The store has gone before; nothing is left to say.
  }
}

std::unique_ptr<Collective::Pending> Group::start_all_reduce(const Tensor& tensor, Reduction reduction) {
  watch_->count_operation();
  {
    const std::lock_guard lock(traffic_mutex_);
    traffic_.all_reduced += static_cast<int64_t>(tensor.nbytes());
    ++traffic_.operations;
  }
  std::vector<Tensor> tensors{tensor};
  c10d::AllreduceOptions how;
  how.reduceOp = operation(reduction);
  try {
    return std::make_unique<Operation>(*this, backend_->allreduce(tensors, how), tensor);
  } catch (const std::exception& error) {
    give_up(first_line(error.what()));
  }
}

template <typename Start>
void Group::run(int64_t Traffic::*kind, const Tensor& moved, const Start& start) {
  watch_->count_operation();
  {
    const std::lock_guard lock(traffic_mutex_);
    traffic_.*kind += static_cast<int64_t>(moved.nbytes());
    ++traffic_.operations;
  }
  c10::intrusive_ptr<c10d::Work> work;
  try {
    work = start();
  } catch (const std::exception& error) {
    give_up(first_line(error.what()));
  }
  wait_for(*work);
}

Tensor Group::all_gather(const Tensor& part) {
  Tensor own = part.contiguous();
  Shape shape = own.sizes().vec();
  shape[0] *= options_.size;
  Tensor whole = at::empty(shape, own.options());
  run(&Traffic::gathered, own, [&] { return backend_->_allgather_base(whole, own); });
  return whole;
}

Tensor Group::reduce_scatter(const Tensor& whole) {
  Tensor all = whole.contiguous();
  Shape shape = all.sizes().vec();
  shape[0] /= options_.size;
  Tensor own = at::empty(shape, all.options());
  run(&Traffic::scattered, all, [&] { return backend_->_reduce_scatter_base(own, all); });
  return own;
}

void Group::broadcast(const Tensor& tensor, int root) {
  std::vector<Tensor> tensors{tensor};
  c10d::BroadcastOptions how;
  how.rootRank = root;
  run(&Traffic::other, tensor, [&] { return backend_->broadcast(tensors, how); });
}

Tensor Group::gather(const Tensor& part, int root) {
  std::vector<Tensor> own{part.contiguous()};
  std::vector<std::vector<Tensor>> received;
  Tensor whole;
  if (options_.rank == root) {
    Shape shape = part.sizes().vec();
    shape[0] *= options_.size;
    whole = at::empty(shape, part.options());
    received.push_back(whole.chunk(options_.size));
  }
  c10d::GatherOptions how;
  how.rootRank = root;
  run(&Traffic::other, own[0], [&] { return backend_->gather(received, own, how); });
  return whole;
}

Traffic Group::traffic() const {
  const std::lock_guard lock(traffic_mutex_);
  return traffic_;
}

void Group::wait_for(c10d::Work& work) {
  const Clock::time_point begin = Clock::now();
  for (;;) {
    try {
      work.wait(kGlance);
      break;
    } catch (const std::exception& error) {
      // Still under way, done in this very moment, or failed: the exception does not tell.
      if (work.isCompleted()) {
        if (work.exception() == nullptr) break;
        give_up(first_line(error.what()));
      }
      give_up_on_verdict();
      if (seconds_since(begin) > options_.operation_seconds) {
        const std::string late = watch_->laggards();
        give_up((late.empty() ? "another rank" : late) + " did not take part in an operation for " +
                std::to_string(static_cast<int64_t>(options_.operation_seconds)) + " s");
      }
    }
  }
  const std::lock_guard lock(traffic_mutex_);
  traffic_.wait_seconds += seconds_since(begin);
}

// A broken connection only says that something happened; the watch soon knows to whom.
void Group::give_up(const std::string& fallback) {
  failed_ = true;
  const Clock::time_point begin = Clock::now();
  std::string verdict = watch_->verdict();
  const bool broken = fallback.find("did not take part") == std::string::npos;  // else the culprit is known
  while (verdict.empty() && broken && seconds_since(begin) < options_.silence_seconds + 2) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    verdict = watch_->verdict();
  }
  if (verdict.empty()) {
    verdict = fallback;
    watch_->report(verdict);
  }
  fail_peers("rank ", options_.rank, " ends: ", verdict);
}

void Group::give_up_on_verdict() {
  if (!watch_->verdict().empty()) give_up("");
}

std::vector<std::string> Group::exchange(const std::string& text) {
  try {
    return apart([store = store_, options = options_, text, number = exchanges_++] { return exchange_texts(store, options, text, number); },
                 [this] { give_up_on_verdict(); });
  } catch (const std::exception& error) {
    if (failed_) throw;  // given up
    give_up(first_line(error.what()));
  }
}

void Group::report_failure(const std::string& message) {
  failed_ = true;
  watch_->report("rank " + std::to_string(options_.rank) + " has failed: " + message);
}

}  // namespace facex::distributed
