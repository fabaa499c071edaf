// float16 as the stand-in of the CUDA runtime has it: the compiler's own.
#pragma once

#include <c10/util/Half.h>

struct __half {
  c10::Half value;

  __half() = default;
  explicit __half(float from) : value(from) {}
  explicit __half(double from) : value(static_cast<float>(from)) {}
  operator float() const { return value; }
};
