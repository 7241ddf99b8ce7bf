#include "channel.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>
#include <utility>

#include "../core/error.h"

namespace ntrt {

namespace {

std::string reason(int error) { return std::generic_category().message(error); }
[[noreturn]] void fail(std::string const& what, int error) { throw Error("ERR_BUILD_PROCESS", what + ": " + reason(error)); }

// A descriptor that is closed unless it is kept.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor const&) = delete;
  Descriptor& operator=(Descriptor const&) = delete;
  int get() const { return fd_; }
  int keep() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

constexpr int fixed = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

}  // namespace

void Channel::open(int ends[2]) {
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) fail("no channel to another process could be made", errno);
}

// Nobody else waits for the child of a thread that is gone.
Channel::~Channel() {
  if (child_ > 0 && kill(child_, SIGKILL) == 0) {
    for (int i = 0; i < 100 && waitpid(child_, nullptr, WNOHANG) == 0; i++) usleep(1000);
  }
  close();
}

void Channel::close() {
  child_ = 0;
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

// Ancillary data of one descriptor: unix(7), SCM_RIGHTS.
bool Channel::pass(int fd, Backing const& backing) {
  iovec part = {const_cast<Backing*>(&backing), sizeof(backing)};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = space;
  message.msg_controllen = sizeof(space);
  cmsghdr* const rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(rights), &fd, sizeof(int));
  for (;;) {
    if (sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return true;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ETOOMANYREFS) return false;
    if (errno != EINTR) fail("memory could not be passed to the other process", errno);
  }
}

int Channel::take(Backing& backing) {
  iovec part = {&backing, sizeof(backing)};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = space;
  message.msg_controllen = sizeof(space);
  ssize_t got;
  do got = recvmsg(fd_, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  if (got < 0) fail("no memory came from the other process", errno);
  cmsghdr const* const rights = CMSG_FIRSTHDR(&message);
  if (!rights || rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS) {
    // Linux leaves the descriptor out where this process may have no more.
    fail("no memory came from the other process", message.msg_flags & MSG_CTRUNC ? EMFILE : EPIPE);
  }
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(rights), sizeof(int));
  if (got != sizeof(backing)) {
    ::close(fd);
    fail("what came from the other process is no memory", EPROTO);
  }
  return fd;
}

bool Channel::send(Mapping const& mapping) { return pass(mapping.fd(), mapping.backing()); }

std::shared_ptr<Mapping> Channel::receive_mapping() {
  Backing backing;
  int const fd = take(backing);
  return Mapping::adopt(fd, backing);
}

void Channel::send(Plan const& plan) {
  Descriptor const memory(memfd_create("node-tensorrt plan", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  auto const* at = static_cast<char const*>(plan.data);
  int error = memory.get() < 0 ? errno : 0;
  for (size_t left = plan.size; !error && left > 0;) {
    ssize_t const written = write(memory.get(), at, std::min(left, size_t{1} << 30));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      error = written < 0 ? errno : ENOSPC;
      break;
    }
    at += written;
    left -= static_cast<size_t>(written);
  }
  if (error) throw Error("ERR_MEMORY", "the plan of " + std::to_string(plan.size) + " bytes does not fit into memory: " + reason(error));
  if (fcntl(memory.get(), F_ADD_SEALS, fixed) != 0) fail("the plan could not be made unchangeable", errno);
  if (!pass(memory.get(), {plan.size, 0, 0, 0})) fail("the plan could not be passed to the other process", EAGAIN);
}

Plan Channel::receive_plan() {
  Backing backing;
  Descriptor const memory(take(backing));
  struct stat info;
  int const seals = fcntl(memory.get(), F_GET_SEALS);
  bool const sound = seals >= 0 && (seals & fixed) == fixed && fstat(memory.get(), &info) == 0 && static_cast<uint64_t>(info.st_size) == backing.size && backing.size > 0;
  if (!sound) fail("what came from the other process is no plan", EPROTO);
  size_t const size = backing.size;
  void* const mapped = mmap(nullptr, size, PROT_READ, MAP_SHARED, memory.get(), 0);
  if (mapped == MAP_FAILED) throw Error("ERR_MEMORY", "the plan of " + std::to_string(size) + " bytes could not be mapped: " + reason(errno));
  Plan plan;
  plan.owner = std::shared_ptr<void>(mapped, [size](void* data) { munmap(data, size); });
  plan.data = mapped;
  plan.size = size;
  return plan;
}

}  // namespace ntrt
