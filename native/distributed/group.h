// The processes of a run as one Collective: libtorch's c10d behind a watch, so that a dead or hanging rank ends the
// others in bounded time instead of leaving them waiting. Tensors in the memory of the CPU go through Gloo, those on a GPU
// through NCCL.
#pragma once

#include <atomic>
#include <mutex>

#include "core/collective.h"
#include "distributed/rendezvous.h"
#include "distributed/watch.h"

namespace facex::distributed {

class Group final : public Collective {
 public:
  // Meets the other ranks; see meet() for what can go wrong.
  explicit Group(const GroupOptions& options);
  ~Group() override;

  // Says good-bye; nothing can be done after it. A group that has failed keeps its connections until the process ends,
  // because closing them would wait for ranks that are gone.
  void leave();

  int rank() const override { return options_.rank; }
  int size() const override { return options_.size; }
  std::unique_ptr<Pending> start_all_reduce(const Tensor& tensor, Reduction reduction) override;
  Tensor all_gather(const Tensor& part) override;
  Tensor reduce_scatter(const Tensor& whole) override;
  void broadcast(const Tensor& tensor, int root) override;
  Tensor gather(const Tensor& part, int root) override;
  Traffic traffic() const override;

  // Short texts of all ranks, in order. Goes through the store and may be called beside operations on tensors.
  std::vector<std::string> exchange(const std::string& text);

  // Tells all ranks why this one ends, and returns what they end with: the failure of the first that had one.
  std::string report_failure(const std::string& message);

 private:
  friend class Operation;
  using Work = c10::intrusive_ptr<c10d::Work>;

  template <typename Make>
  Backend connect(const Make& make);
  Backend& backend_for(const Tensor& tensor);

  // Begins what `start` returns, and counts the bytes of `moved` as `kind`.
  template <typename Start>
  Work begin(int64_t Traffic::*kind, const Tensor& moved, const Start& start);
  void wait_for(const Work& work, bool on_cpu);
  bool has_ended(const Work& work, bool on_cpu);

  void give_up_on_verdict();
  [[noreturn]] void give_up_on(const std::exception& broken);
  [[noreturn]] void give_up(const std::string& cause);
  void abandon_backends();

  const GroupOptions options_;
  Store store_;
  Backend gloo_, nccl_;  // NCCL from the first tensor on a GPU
  std::unique_ptr<Watch> watch_;
  int64_t exchanges_ = 0;
  std::atomic<bool> failed_ = false, left_ = false;
  mutable std::mutex traffic_mutex_;
  Traffic traffic_;
};

}  // namespace facex::distributed
