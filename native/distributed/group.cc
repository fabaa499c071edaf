#include "distributed/group.h"

#include <ATen/ops/empty.h>

#include <thread>
#include <utility>

#include "distributed/apart.h"
#include "distributed/exchange.h"

namespace facex::distributed {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double kFarewellSeconds = 5;
constexpr std::chrono::milliseconds kGlance{200};  // between looks at the watch while waiting
constexpr std::chrono::microseconds kPoll{50};     // between questions to a GPU

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

std::string first_line(const char* text) {
  const std::string whole = text;
  return whole.substr(0, whole.find('\n'));
}

c10d::ReduceOp operation(Reduction reduction) { return reduction == Reduction::kSum ? c10d::ReduceOp::SUM : c10d::ReduceOp::MAX; }

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

}  // namespace

class Operation final : public Collective::Pending {
 public:
  Operation(Group& group, c10::intrusive_ptr<c10d::Work> work, Tensor kept) : group_(group), work_(std::move(work)), kept_(std::move(kept)) {}
  void wait() override { group_.wait_for(*work_, kept_.is_cpu()); }

 private:
  Group& group_;
  c10::intrusive_ptr<c10d::Work> work_;
  Tensor kept_;  // alive until the operation has ended
};

Group::Group(const GroupOptions& options) : options_(options), store_(meet_in_time(options)) {
  watch_ = std::make_unique<Watch>(store_, options_);
  try {
    gloo_ = connect(make_gloo);
  } catch (const PeerFailure&) {
    watch_->linger();
    throw;
  }
}

Group::~Group() { leave(); }

template <typename Make>
Backend Group::connect(const Make& make) {
  const std::chrono::milliseconds timeout(static_cast<int64_t>(1000 * (options_.operation_seconds + options_.silence_seconds)));
  const BackendOptions own{options_.rank, options_.size, options_.master, timeout};
  try {
    return apart([store = store_, own, make] { return make(store, own); }, [this] { give_up_on_verdict(); });
  } catch (const PeerFailure&) {
    throw;
  } catch (const std::exception& error) {
    give_up(std::string("no connection to the other ranks: ") + first_line(error.what()));
  }
}

Backend& Group::backend_for(const Tensor& tensor) {
  if (tensor.is_cpu()) return gloo_;
  if (!nccl_) nccl_ = connect(make_nccl);
  return nccl_;
}

void Group::abandon_backends() {
  static_cast<void>(gloo_.release());
  static_cast<void>(nccl_.release());
}

void Group::leave() {
  if (left_.exchange(true)) return;
  if (failed_ || !watch_->verdict().empty()) {
    watch_->linger();
    abandon_backends();
    return;
  }
  try {
    exchange("done");  // rank 0 serves the store and leaves last
  } catch (const PeerFailure&) {
    // Somebody has failed at the very end; that is its own business.
    abandon_backends();
    return;
  }
  watch_.reset();
  try {
    apart(
        [store = store_, options = options_, gloo = std::exchange(gloo_, {}), nccl = std::exchange(nccl_, {})]() mutable {
          nccl.reset();
          gloo.reset();
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
    return std::make_unique<Operation>(*this, backend_for(tensor)->allreduce(tensors, how), tensor);
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
  wait_for(*work, moved.is_cpu());
}

Tensor Group::all_gather(const Tensor& part) {
  Tensor own = part.contiguous();
  Shape shape = own.sizes().vec();
  shape[0] *= options_.size;
  Tensor whole = at::empty(shape, own.options());
  run(&Traffic::gathered, own, [&] { return backend_for(own)->_allgather_base(whole, own); });
  return whole;
}

Tensor Group::reduce_scatter(const Tensor& whole) {
  Tensor all = whole.contiguous();
  Shape shape = all.sizes().vec();
  shape[0] /= options_.size;
  Tensor own = at::empty(shape, all.options());
  run(&Traffic::scattered, all, [&] { return backend_for(all)->_reduce_scatter_base(own, all); });
  return own;
}

void Group::broadcast(const Tensor& tensor, int root) {
  std::vector<Tensor> tensors{tensor};
  c10d::BroadcastOptions how;
  how.rootRank = root;
  run(&Traffic::other, tensor, [&] { return backend_for(tensor)->broadcast(tensors, how); });
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
  run(&Traffic::other, own[0], [&] { return backend_for(own[0])->gather(received, own, how); });
  return whole;
}

Traffic Group::traffic() const {
  const std::lock_guard lock(traffic_mutex_);
  return traffic_;
}

// Waits for a moment. Gives up when the operation has failed.
bool Group::has_ended(c10d::Work& work, bool on_cpu) {
  try {
    if (on_cpu) {
      work.wait(kGlance);
      return true;
    }
    for (const Clock::time_point begin = Clock::now(); !work.isCompleted();) {
      if (Clock::now() - begin > kGlance) return false;
      std::this_thread::sleep_for(kPoll);
    }
    work.wait();  // the current stream goes on after it
    return true;
  } catch (const std::exception& error) {
    // Still under way, done in this very moment, or failed: the exception does not tell.
    if (!work.isCompleted()) return false;
    if (work.exception() == nullptr) return true;
    give_up(first_line(error.what()));
  }
}

void Group::wait_for(c10d::Work& work, bool on_cpu) {
  const Clock::time_point begin = Clock::now();
  while (!has_ended(work, on_cpu)) {
    give_up_on_verdict();
    if (seconds_since(begin) > options_.operation_seconds) {
      const std::string late = watch_->laggards();
      give_up((late.empty() ? "another rank" : late) + " did not take part in an operation for " +
              std::to_string(static_cast<int64_t>(options_.operation_seconds)) + " s");
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
