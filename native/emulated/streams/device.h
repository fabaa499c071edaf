// A stand-in for a device with streams, for machines without one: libtorch's own tensors, copies, streams and events, but
// what a stream is given waits in a queue until the test lets it run. So a test sees what may run before what; it knows
// nothing of speed.
#pragma once

#include <c10/core/Stream.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <functional>
#include <vector>

namespace facex::emulated {

inline constexpr c10::DeviceType kDevice = c10::DeviceType::PrivateUse1;

// What the current stream of the calling thread is given.
void enqueue(std::function<void()> work);

// Runs the queue of a stream up to an event that another stream has still to reach. Whether it ran to the end.
bool run(c10::StreamId stream);

// How much a stream has still to run.
size_t waiting(c10::StreamId stream);

// Whether the memory of a tensor may be lent again only when the stream is done with it.
bool is_recorded(const c10::DataPtr& memory, c10::StreamId stream);

c10::StreamId current_stream();

}  // namespace facex::emulated
