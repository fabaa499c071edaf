// A thread that does the jobs given to it one after another. Training keeps one for its whole life, because libtorch's
// OpenMP team belongs to the thread that calls it and would be built again for every new one.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace facex::training {

class SerialThread {
 public:
  SerialThread();
  // Lets the job in flight end, drops the others, joins.
  ~SerialThread();

  // Jobs must not throw.
  void post(std::function<void()> job);

 private:
  void loop();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  bool closing_ = false;
  std::thread thread_;  // last: starts when everything else exists
};

}  // namespace facex::training
