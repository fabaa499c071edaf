#include "emulated/streams/device.h"

#include <ATen/EmptyTensor.h>
#include <ATen/core/Tensor.h>
#include <c10/core/CPUAllocator.h>
#include <torch/library.h>

#include <cstring>
#include <deque>
#include <map>
#include <set>

namespace facex::emulated {

namespace {

const c10::Device kPlace(kDevice, 0);

// A place in the order of a stream: reached when everything before it has run.
struct Mark {
  bool reached = false;
};

struct Task {
  std::function<void()> work;
  const Mark* awaited = nullptr;
};

std::map<c10::StreamId, std::deque<Task>> queues;
std::set<std::pair<const void*, c10::StreamId>> recorded;
thread_local c10::StreamId current = 0;

c10::Stream stream_of(c10::StreamId id) { return c10::Stream(c10::Stream::UNSAFE, kPlace, id); }

struct Guard final : c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override { return kDevice; }
  c10::Device exchangeDevice(c10::Device) const override { return kPlace; }
  c10::Device getDevice() const override { return kPlace; }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }

  c10::Stream getStream(c10::Device) const override { return stream_of(current); }
  c10::Stream getStreamFromGlobalPool(c10::Device, bool) const override {
    static c10::StreamId last = 0;
    return stream_of(++last);
  }
  c10::Stream exchangeStream(c10::Stream stream) const override { return stream_of(std::exchange(current, stream.id())); }

  void record(void** event, const c10::Stream& stream, c10::DeviceIndex, c10::EventFlag) const override {
    auto* mark = new Mark;  // lives on: queues refer to it
    *event = mark;
    queues[stream.id()].push_back({[mark] { mark->reached = true; }});
  }
  void block(void* event, const c10::Stream& stream) const override { queues[stream.id()].push_back({[] {}, static_cast<const Mark*>(event)}); }
  void destroyEvent(void*, c10::DeviceIndex) const noexcept override {}
  void recordDataPtrOnStream(const c10::DataPtr& memory, const c10::Stream& stream) const override { recorded.emplace(memory.get(), stream.id()); }
};

C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard);

// Memory of the CPU that says it lies on the device.
struct Memory final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) override {
    c10::DataPtr data = c10::GetCPUAllocator()->allocate(bytes);
    data.unsafe_set_device(kPlace);
    return data;
  }
  c10::DeleterFnPtr raw_deleter() const override { return c10::GetCPUAllocator()->raw_deleter(); }
  void copy_data(void* to, const void* from, size_t bytes) const override { std::memcpy(to, from, bytes); }
};

at::Tensor empty_strided(c10::IntArrayRef sizes, c10::IntArrayRef strides, std::optional<at::ScalarType> dtype, std::optional<at::Layout>,
                         std::optional<at::Device>, std::optional<bool>) {
  static Memory memory;
  return at::detail::empty_strided_generic(sizes, strides, &memory, c10::DispatchKeySet(c10::DispatchKey::PrivateUse1), dtype.value_or(at::kFloat));
}

at::Tensor copy_from(const at::Tensor& from, const at::Tensor& to, bool) {
  enqueue([from, to] { std::memcpy(to.mutable_data_ptr(), from.const_data_ptr(), from.nbytes()); });
  return to;
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
  library.impl("empty_strided", TORCH_FN(empty_strided));
  library.impl("_copy_from", TORCH_FN(copy_from));
}

}  // namespace

void enqueue(std::function<void()> work) { queues[current].push_back({std::move(work)}); }

bool run(c10::StreamId stream) {
  for (auto& queue = queues[stream]; !queue.empty(); queue.pop_front()) {
    if (queue.front().awaited != nullptr && !queue.front().awaited->reached) return false;
    queue.front().work();
  }
  return true;
}

size_t waiting(c10::StreamId stream) { return queues[stream].size(); }

bool is_recorded(const c10::DataPtr& memory, c10::StreamId stream) { return recorded.contains({memory.get(), stream}); }

c10::StreamId current_stream() { return current; }

}  // namespace facex::emulated
