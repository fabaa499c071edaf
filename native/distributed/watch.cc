#include "distributed/watch.h"

#include <atomic>
#include <map>
#include <mutex>

#include "distributed/messages.h"
#include "distributed/waiting.h"

namespace facex::distributed {

namespace {

constexpr double kBeatSeconds = 0.5;
constexpr double kLastNewsSeconds = 3;
constexpr double kLastHeartbeatSeconds = 1;  // for the store to take the last heartbeat
const char* const kVerdict = "verdict";
const char* const kHeard = "heard";

}  // namespace

struct Watch::Shared {
  Store store;
  GroupOptions options;
  std::atomic<bool> closing = false, ended = false;  // asked to end, and done
  std::atomic<int64_t> operations = 0;
  std::atomic<int64_t> heard = 0;         // ranks that know the verdict, as far as this one knows
  std::atomic<bool> published = false;    // the store has the verdict

  mutable std::mutex mutex;
  std::string verdict;
  Clock::time_point answered = Clock::now();  // when the store last did
  std::map<int, int64_t> begun;               // operations of the ranks looked at

  void decide(const std::string& message) {
    const std::lock_guard lock(mutex);
    if (verdict.empty()) verdict = message;
  }

  // Whatever this rank thought, the first to reach the store was right.
  void accept(const std::string& common) {
    const std::lock_guard lock(mutex);
    verdict = common;
  }

  std::string decided() const {
    const std::lock_guard lock(mutex);
    return verdict;
  }

  void run(const Store& joined);

 private:
  // A rank's last heartbeat and when it changed.
  struct Beat {
    std::string text;
    Clock::time_point changed = Clock::now();
  };

  void look(const std::vector<int>& watched, const std::vector<std::string>& keys);
  void share_verdict();

  std::map<int, Beat> beats_;
};

Watch::Watch(const Store& store, const GroupOptions& options) : shared_(std::make_shared<Shared>()) {
  shared_->options = options;
  std::thread([shared = shared_, store] {
    shared->run(store);
    shared->ended = true;
  }).detach();
}

Watch::~Watch() {
  shared_->closing = true;
  wait_until([this] { return shared_->ended.load(); }, kLastHeartbeatSeconds);
}

std::string Watch::verdict() const {
  const std::lock_guard lock(shared_->mutex);
  if (!shared_->verdict.empty()) return shared_->verdict;
  const GroupOptions& options = shared_->options;
  if (seconds_since(shared_->answered) <= options.silence_seconds) return "";
  return (options.rank == 0 || !options.serves ? "the store" : "rank 0") + (" at " + options.master) + " has not answered for " +
         seconds_text(options.silence_seconds) + ": it has died, hangs, or the network is cut";
}

std::string Watch::report(const std::string& message) {
  shared_->decide(message);
  wait_until([this] { return shared_->published.load(); }, kLastNewsSeconds);
  return shared_->decided();
}

void Watch::linger() const {
  if (shared_->options.rank != 0 || !shared_->options.serves) return;
  wait_until([this] { return shared_->heard >= shared_->options.size; }, kLastNewsSeconds);
}

void Watch::count_operation() { ++shared_->operations; }

std::string Watch::laggards() const {
  const std::lock_guard lock(shared_->mutex);
  std::vector<int> ranks;
  for (const auto& [rank, begun] : shared_->begun) {
    if (begun < shared_->operations) ranks.push_back(rank);
  }
  return ranks.empty() ? "" : name_ranks(ranks);
}

void Watch::Shared::run(const Store& joined) {
  try {
    store = connection(joined);
  } catch (const std::exception&) {
    return;  // verdict() says so after a while
  }
  std::vector<int> watched;
  if (options.rank == 0) {
    for (int rank = 1; rank < options.size; ++rank) watched.push_back(rank);
  } else {
    watched.push_back(0);
  }
  std::vector<std::string> keys;
  for (const int rank : watched) keys.push_back(beat_key(rank));
  for (int64_t turn = 1; !closing; ++turn) {
    bool answers = false;
    try {
      store->set(beat_key(options.rank), bytes_of(std::to_string(turn) + " " + std::to_string(operations)));
      look(watched, keys);
      share_verdict();
      answers = true;
    } catch (const std::exception&) {
      // The store is gone; verdict() says so when it stays gone.
    }
    // A verdict is passed on at once.
    wait_until([&] { return closing || (answers && !published && !decided().empty()); }, kBeatSeconds);
  }
  try {
    store->set(beat_key(options.rank), bytes_of("done"));
  } catch (const std::exception&) {
    // Nobody is left who would miss it.
  }
}

void Watch::Shared::look(const std::vector<int>& watched, const std::vector<std::string>& keys) {
  const auto answers = store->multiGet(keys);
  const std::lock_guard lock(mutex);
  answered = Clock::now();
  std::vector<int> silent;
  for (size_t i = 0; i < watched.size(); ++i) {
    Beat& beat = beats_[watched[i]];
    const std::string text = text_of(answers[i]);
    if (text != beat.text) beat = {text, Clock::now()};
    const size_t space = text.find(' ');
    if (space != std::string::npos) begun[watched[i]] = std::stoll(text.substr(space + 1));
    if (text != "done" && seconds_since(beat.changed) > options.silence_seconds) silent.push_back(watched[i]);
  }
  if (silent.empty() || !verdict.empty()) return;
  verdict = name_ranks(silent) + (silent.size() == 1 ? " has" : " have") + " not been heard of for " + seconds_text(options.silence_seconds) +
            ": killed, hung, or cut off from the network";
}

void Watch::Shared::share_verdict() {
  if (!published) {
    const std::string own = decided();
    if (own.empty() && !store->check({kVerdict})) return;
    const auto common = own.empty() ? store->get(kVerdict) : store->compareSet(kVerdict, {}, bytes_of(own));
    accept(text_of(common));
    store->add(kHeard, 1);
    published = true;
  }
  heard = store->add(kHeard, 0);
}

}  // namespace facex::distributed
