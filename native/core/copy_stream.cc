#include "core/copy_stream.h"

#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace facex {

const std::vector<Tensor>& Arrival::receive() const {
  const c10::impl::VirtualGuardImpl device(stream_.device_type());
  const c10::Stream reader = device.getStream(stream_.device());
  copied_.block(reader);
  // Their memory may be lent to the next copies only when the reader is done with it too.
  for (const Tensor& tensor : tensors_) device.recordDataPtrOnStream(tensor.storage().data_ptr(), reader);
  return tensors_;
}

CopyStream::CopyStream(c10::Device device) : stream_(c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device)) {}

Arrival CopyStream::send(const std::vector<Tensor>& tensors) const {
  const c10::StreamGuard guard(stream_);
  Arrival arrival(stream_);
  for (const Tensor& tensor : tensors) arrival.tensors_.push_back(tensor.to(stream_.device(), /*non_blocking=*/true));
  arrival.copied_.record(stream_);
  return arrival;
}

}  // namespace facex
