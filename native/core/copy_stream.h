// Copies to a device beside what it computes: on a stream of their own, which an event orders against the stream of the
// reader. Through libtorch's streams of any device, so that nothing of CUDA is linked.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/Event.h>
#include <c10/core/Stream.h>

#include <vector>

#include "core/tensor.h"

namespace facex {

// Tensors on their way to a device.
class Arrival {
 public:
  // From the thread that reads them: what its current stream is given from now on runs after the copies. Only that stream
  // may read them. The CPU waits for nothing.
  const std::vector<Tensor>& receive() const;

 private:
  friend class CopyStream;
  explicit Arrival(c10::Stream stream) : stream_(stream), copied_(stream.device_type()) {}

  c10::Stream stream_;  // of the copies, to which the memory of the tensors belongs
  std::vector<Tensor> tensors_;
  c10::Event copied_;
};

class CopyStream {
 public:
  // Of a device that has streams: not the CPU.
  explicit CopyStream(c10::Device device);

  // Starts to copy tensors of the CPU. From any thread; it is kept waiting only by memory that is not pinned. The tensors
  // may be let go at once, but not written again.
  Arrival send(const std::vector<Tensor>& tensors) const;

 private:
  c10::Stream stream_;
};

}  // namespace facex
