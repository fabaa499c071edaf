// What one process of several may ask of the others. Networks, heads and the trainer know only this; the processes,
// their connections and their deaths are the business of distributed/.
//
// All ranks call the same operations in the same order, with tensors of the same shape and dtype. An operation that
// cannot end (a rank has died, hangs, or cannot be reached) throws PeerFailure. Results do not depend
// on timing: the same ranks with the same values give the same bits.
#pragma once

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "core/tensor.h"

namespace facex {

// Another process of the run is missing, dead, hanging or not the same; the message names it. ERR_DISTRIBUTED in
// lib/errors.ts.
class PeerFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What a process holds of a tensor whose rest lies on other ranks: neighbouring slices along `dim`.
struct Part {
  int64_t dim = 0;
  int64_t begin = 0;  // unit that the part starts with
  int64_t whole = 0;  // units of the whole; 0: the tensor is here completely
  int64_t width = 1;  // slices along `dim` that make a unit (several centres of a class)
};

enum class Reduction { kSum, kMax };

// Bytes of tensors that this rank has handed to each kind of operation, and how long it has waited for results.
struct Traffic {
  int64_t all_reduced = 0, gathered = 0, scattered = 0, other = 0;
  int64_t operations = 0;
  double wait_seconds = 0;
};

class Collective {
 public:
  // An operation under way; its tensors must not be touched before wait().
  class Pending {
   public:
    virtual ~Pending() = default;
    virtual void wait() = 0;
  };

  virtual ~Collective() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;

  // In place, over a contiguous tensor.
  virtual std::unique_ptr<Pending> start_all_reduce(const Tensor& tensor, Reduction reduction) = 0;
  void all_reduce(const Tensor& tensor, Reduction reduction) { start_all_reduce(tensor, reduction)->wait(); }

  // [n, ...] of each rank, one after the other: [size * n, ...].
  virtual Tensor all_gather(const Tensor& part) = 0;
  // The sum of `whole` [size * n, ...] over the ranks, of which each receives its own n rows.
  virtual Tensor reduce_scatter(const Tensor& whole) = 0;
  virtual void broadcast(const Tensor& tensor, int root) = 0;
  // As all_gather, but only `root` receives; undefined on the others.
  virtual Tensor gather(const Tensor& part, int root) = 0;

  virtual Traffic traffic() const = 0;
};

// One of `size` nearly equal runs of [0, total), in order; the first ones are one longer where they cannot be equal.
struct Share {
  Share(int64_t total, int rank, int size)
      : begin(total / size * rank + std::min<int64_t>(rank, total % size)), count(total / size + (rank < total % size ? 1 : 0)) {}
  int64_t begin, count;
};

}  // namespace facex
