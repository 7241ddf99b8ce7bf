#include "file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "handle.h"

namespace ntrt {

namespace {

struct FileLock {
  static constexpr char handle_kind[] = "a file lock";
  std::string path;
  int fd;

  FileLock(std::string path, int fd) : path(std::move(path)), fd(fd) {}
  FileLock(FileLock const&) = delete;
  FileLock& operator=(FileLock const&) = delete;
  ~FileLock() { unlock(); }

  // Removed first: who opened the file before finds, once it has the lock, that the file is not there any more.
  void unlock() {
    if (fd < 0) return;
    if (is_there()) unlink(path.c_str());
    close(fd);
    fd = -1;
  }

  // Whether the path still leads to the file that was locked.
  bool is_there() const {
    struct stat ours, theirs;
    return fstat(fd, &ours) == 0 && stat(path.c_str(), &theirs) == 0 && ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
  }
};

[[noreturn]] void fail(Napi::Env env, int error) {
  auto thrown = Napi::Error::New(env, std::strerror(error));
  thrown.Set("errno", Napi::Number::New(env, -error));
  throw thrown;
}

// Open files are locked, so that two threads of a process have two locks.
int lock_now(int fd) {
  while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

}  // namespace

Napi::Value try_lock(Napi::CallbackInfo const& info) {
  auto const env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    std::string const path = argument(info, 0).text();
    if (path.find('\0') != std::string::npos) fail(env, EINVAL);
    for (;;) {
      int const fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
      if (fd < 0) fail(env, errno);
      if (int const error = lock_now(fd)) {
        close(fd);
        if (error == EWOULDBLOCK) return env.Null();
        fail(env, error);
      }
      auto lock = std::make_shared<FileLock>(path, fd);
      if (lock->is_there()) return make_handle(env, std::move(lock));
      // Its holder removed it in between: the next one has another.
    }
  });
}

void unlock(Napi::CallbackInfo const& info) {
  guarded(info.Env(), [&] { state_of<FileLock>(argument(info, 0))->unlock(); });
}

}  // namespace ntrt
