#include "core/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace facex {

std::unique_ptr<FileLock> FileLock::try_lock(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) fail(ErrorCode::kLocked, path, ": the lock file cannot be opened: ", std::strerror(errno));
  // Held by the open file, not by the process: a second try in this process fails too.
  if (flock(file, LOCK_EX | LOCK_NB) == 0) return std::unique_ptr<FileLock>(new FileLock(file));
  const int error = errno;
  close(file);
  if (error == EWOULDBLOCK) return nullptr;
  fail(ErrorCode::kLocked, path, ": the file system does not lock files: ", std::strerror(error));
}

FileLock::~FileLock() { close(file_); }

}  // namespace facex
