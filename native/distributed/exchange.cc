#include "distributed/exchange.h"

#include "distributed/messages.h"
#include "distributed/waiting.h"

namespace facex::distributed {

namespace {

// The value of a key that another rank will write.
std::string await_text(const Store& store, const std::string& key, const GroupOptions& options, int from) {
  const Clock::time_point begin = Clock::now();
  try {
    store->wait({key}, milliseconds(options.operation_seconds));
  } catch (const std::exception&) {
    if (seconds_since(begin) < options.operation_seconds) throw;
    fail_peers(name_ranks({from}), " did not take part in an exchange for ", seconds_text(options.operation_seconds));
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

}  // namespace

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

}  // namespace facex::distributed
