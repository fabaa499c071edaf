// The order of copies and of their reader, on the stand-in of a device; exits with 1 and names what is off. See
// test/native/copy-stream.test.ts.
#include <ATen/ops/full.h>

#include <cstdio>
#include <thread>

#include "core/copy_stream.h"
#include "emulated/streams/device.h"

namespace {

using namespace facex;

constexpr c10::StreamId kReader = 0, kCopies = 1;

int wrong = 0;

void expect(bool holds, const char* claim) {
  if (holds) return;
  ++wrong;
  std::printf("not so: %s\n", claim);
}

// First value of the tensor, as the reader's stream sees it when it gets there.
struct Reading {
  int value = -1;

  explicit Reading(const Tensor& tensor) {
    emulated::enqueue([this, tensor] { value = *static_cast<const uint8_t*>(tensor.const_data_ptr()); });
  }
};

}  // namespace

int main() {
  const CopyStream copies(c10::Device(emulated::kDevice, 0));
  // Sent by one thread, received by another, as the loader and the trainer do.
  std::optional<Arrival> first, second;
  std::thread([&] {
    first.emplace(copies.send({at::full({4}, 11, at::kByte), at::full({4}, 12, at::kByte)}));
    second.emplace(copies.send({at::full({4}, 21, at::kByte)}));
    expect(emulated::current_stream() == kReader, "the sender's current stream is what it was");
  }).join();
  expect(emulated::waiting(kReader) == 0 && emulated::waiting(kCopies) == 5, "three copies and two events wait on a stream of their own");

  const std::vector<Tensor>& images = first->receive();
  expect(images.size() == 2 && images[0].device().type() == emulated::kDevice && images[0].sizes() == at::IntArrayRef{4}, "all tensors arrive on the device");
  const Reading one(images[0]), two(images[1]);
  expect(!emulated::run(kReader) && one.value == -1, "the reader's stream waits for the copies");
  for (const Tensor& image : images) expect(emulated::is_recorded(image.storage().data_ptr(), kReader), "memory that the reader's stream uses is not lent to the next copies");

  const Reading later(second->receive()[0]);
  first.reset();  // what was received outlives it: streams still read it
  expect(emulated::run(kCopies), "copies wait for nobody");
  expect(emulated::run(kReader) && one.value == 11 && two.value == 12 && later.value == 21, "the reader finds what was sent");
  std::printf("%d off\n", wrong);
  return wrong == 0 ? 0 : 1;
}
