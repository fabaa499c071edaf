// An exclusive lock on a file, held by one process at a time and given up by the system when that process dies.
#pragma once

#include <memory>
#include <string>

namespace facex {

class FileLock {
 public:
  // Creates the file when needed. Null when another holder has it; kLocked when the file cannot be opened.
  static std::unique_ptr<FileLock> try_lock(const std::string& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  explicit FileLock(int file) : file_(file) {}
  int file_;
};

}  // namespace facex
