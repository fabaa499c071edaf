#include "distributed/group.h"

#include <ATen/ops/empty.h>

#include <utility>

#include "distributed/apart.h"
#include "distributed/exchange.h"
#include "distributed/messages.h"
#include "distributed/waiting.h"

namespace facex::distributed {

namespace {

constexpr double kFarewellSeconds = 5;
constexpr std::chrono::milliseconds kGlance{200};  // between looks at the watch while waiting
constexpr std::chrono::microseconds kPoll{50};     // between questions to a GPU

c10d::ReduceOp operation(Reduction reduction) { return reduction == Reduction::kSum ? c10d::ReduceOp::SUM : c10d::ReduceOp::MAX; }

// Room for so many rows like those of a tensor.
Tensor rows_like(const Tensor& tensor, int64_t rows) {
  Shape shape = tensor.sizes().vec();
  shape[0] = rows;
  return at::empty(shape, tensor.options());
}

// meet(), but a store that stops answering in the middle of it does not hold up anybody.
Store meet_in_time(const GroupOptions& options) {
  return apart_within(2 * options.join_seconds + options.silence_seconds, [options] { return meet(options); },
                      text("rank ", options.rank, ": rank 0 at ", options.master, ":", options.port, " does not answer: it hangs, or the network is cut"));
}

// The server of the store ends after everybody else.
void say_farewell(const Store& store, const GroupOptions& options) {
  store->add("left", 1);
  if (options.rank != 0 || !options.serves) return;
  wait_until([&] { return store->add("left", 0) >= options.size; }, kFarewellSeconds);
}

}  // namespace

class Operation final : public Collective::Pending {
 public:
  Operation(Group& group, Group::Work work, Tensor kept) : group_(group), work_(std::move(work)), kept_(std::move(kept)) {}
  void wait() override { group_.wait_for(work_, kept_.is_cpu()); }

 private:
  Group& group_;
  Group::Work work_;
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
  const BackendOptions own{options_.rank, options_.size, options_.master, milliseconds(options_.operation_seconds + options_.silence_seconds)};
  try {
    return apart([store = store_, own, make] { return make(store, own); }, [this] { give_up_on_verdict(); });
  } catch (const PeerFailure&) {
    throw;
  } catch (const std::exception& error) {
    give_up_on(std::runtime_error(text("no connection to the other ranks: ", reason(error))));
  }
}

Backend& Group::backend_for(const Tensor& tensor) {
  if (tensor.is_cpu()) return gloo_;
  if (!nccl_) nccl_ = connect(make_nccl);
  return nccl_;
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
  auto close = [store = store_, options = options_, gloo = std::exchange(gloo_, {}), nccl = std::exchange(nccl_, {})]() mutable {
    nccl.reset();
    gloo.reset();
    say_farewell(store, options);
  };
  try {
    apart_within(2 * kFarewellSeconds, std::move(close), "no farewell");
  } catch (const std::exception&) {
    // The store has gone before; nothing is left to say.
  }
}

// Closing them would wait for ranks that are gone. What waits for those on a GPU is broken off, or the process could not end.
void Group::abandon_backends() {
  static_cast<void>(gloo_.release());
  if (!nccl_) return;
  try {
    apart_within(kFarewellSeconds, [nccl = nccl_] { nccl->abort(); }, "not broken off in time");
  } catch (const std::exception&) {
    // It ends with the process.
  }
  static_cast<void>(nccl_.release());
}

template <typename Start>
Group::Work Group::begin(int64_t Traffic::*kind, const Tensor& moved, const Start& start) {
  watch_->count_operation();
  {
    const std::lock_guard lock(traffic_mutex_);
    traffic_.*kind += static_cast<int64_t>(moved.nbytes());
    ++traffic_.operations;
  }
  try {
    return start(*backend_for(moved));
  } catch (const PeerFailure&) {
    throw;
  } catch (const std::exception& error) {
    give_up_on(error);
  }
}

std::unique_ptr<Collective::Pending> Group::start_all_reduce(const Tensor& tensor, Reduction reduction) {
  std::vector<Tensor> tensors{tensor};
  c10d::AllreduceOptions how;
  how.reduceOp = operation(reduction);
  return std::make_unique<Operation>(*this, begin(&Traffic::all_reduced, tensor, [&](c10d::Backend& backend) { return backend.allreduce(tensors, how); }), tensor);
}

Tensor Group::all_gather(const Tensor& part) {
  Tensor own = part.contiguous();
  Tensor whole = rows_like(own, own.size(0) * options_.size);
  wait_for(begin(&Traffic::gathered, own, [&](c10d::Backend& backend) { return backend._allgather_base(whole, own); }), own.is_cpu());
  return whole;
}

Tensor Group::reduce_scatter(const Tensor& whole) {
  Tensor all = whole.contiguous();
  Tensor own = rows_like(all, all.size(0) / options_.size);
  wait_for(begin(&Traffic::scattered, all, [&](c10d::Backend& backend) { return backend._reduce_scatter_base(own, all); }), all.is_cpu());
  return own;
}

void Group::broadcast(const Tensor& tensor, int root) {
  std::vector<Tensor> tensors{tensor};
  c10d::BroadcastOptions how;
  how.rootRank = root;
  wait_for(begin(&Traffic::other, tensor, [&](c10d::Backend& backend) { return backend.broadcast(tensors, how); }), tensor.is_cpu());
}

Tensor Group::gather(const Tensor& part, int root) {
  std::vector<Tensor> own{part.contiguous()};
  std::vector<std::vector<Tensor>> received;
  Tensor whole;
  if (options_.rank == root) {
    whole = rows_like(part, part.size(0) * options_.size);
    received.push_back(whole.chunk(options_.size));
  }
  c10d::GatherOptions how;
  how.rootRank = root;
  wait_for(begin(&Traffic::other, own[0], [&](c10d::Backend& backend) { return backend.gather(received, own, how); }), part.is_cpu());
  return whole;
}

Traffic Group::traffic() const {
  const std::lock_guard lock(traffic_mutex_);
  return traffic_;
}

// Waits for a moment. Gives up when the operation has failed.
bool Group::has_ended(const Work& work, bool on_cpu) {
  try {
    if (on_cpu) {
      work->wait(kGlance);
      return true;
    }
    for (const Clock::time_point begin = Clock::now(); !work->isCompleted();) {
      if (Clock::now() - begin > kGlance) return false;
      std::this_thread::sleep_for(kPoll);
    }
    if (work->exception() != nullptr) std::rethrow_exception(work->exception());
    work->wait();  // the current stream goes on after it
    return true;
  } catch (const std::exception& error) {
    // Still under way, done in this very moment, or failed: the exception does not tell.
    if (!work->isCompleted()) return false;
    if (work->exception() == nullptr) return true;
    give_up_on(error);
  }
}

void Group::wait_for(const Work& work, bool on_cpu) {
  const Clock::time_point begin = Clock::now();
  while (!has_ended(work, on_cpu)) {
    give_up_on_verdict();
    if (seconds_since(begin) <= options_.operation_seconds) continue;
    const std::string late = watch_->laggards();
    give_up(text(late.empty() ? "another rank" : late, " did not take part in an operation for ", seconds_text(options_.operation_seconds)));
  }
  const std::lock_guard lock(traffic_mutex_);
  traffic_.wait_seconds += seconds_since(begin);
}

// A broken connection only says that something happened; the watch soon knows to whom.
void Group::give_up_on(const std::exception& broken) {
  failed_ = true;
  wait_until([this] { return !watch_->verdict().empty(); }, options_.silence_seconds + 2);
  give_up(reason(broken));
}

// Ends with the verdict of all ranks, which is `cause` where there was none.
void Group::give_up(const std::string& cause) {
  failed_ = true;
  const std::string verdict = watch_->verdict();
  fail_peers("rank ", options_.rank, " ends: ", verdict.empty() ? watch_->report(cause) : verdict);
}

void Group::give_up_on_verdict() {
  const std::string verdict = watch_->verdict();
  if (!verdict.empty()) give_up(verdict);
}

std::vector<std::string> Group::exchange(const std::string& text) {
  try {
    return apart([store = store_, options = options_, text, number = exchanges_++] { return exchange_texts(store, options, text, number); },
                 [this] { give_up_on_verdict(); });
  } catch (const PeerFailure& failure) {
    if (failed_) throw;  // given up
    give_up(failure.what());
  } catch (const std::exception& error) {
    give_up_on(error);
  }
}

std::string Group::report_failure(const std::string& message) {
  failed_ = true;
  return watch_->report(text("rank ", options_.rank, " has failed: ", message));
}

}  // namespace facex::distributed
