// Declarations of gloo that libtorch's ProcessGroupGloo.hpp mentions. libtorch contains gloo but does not ship its
// headers; nothing here is called or constructed outside libtorch, so that no layout is assumed.
#pragma once

#include <chrono>

namespace gloo {

class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
};

}  // namespace gloo
