// A socket by which two processes pass memory to each other: mappings of weights one way, plans the other. No bytes are copied.
#pragma once

#include <memory>
#include <string>

#include "../compile/build.h"
#include "../weights/mapping.h"

namespace ntrt {

class Channel {
 public:
  static constexpr char handle_kind[] = "a channel";
  // Takes the descriptor over.
  explicit Channel(int fd) : fd_(fd) {}
  ~Channel();
  Channel(Channel const&) = delete;
  Channel& operator=(Channel const&) = delete;

  // The process at the other end. It ends when the channel goes without `close`, as when a worker thread ends, which Node gives no time.
  void hold(int child) { child_ = child; }
  // The process has ended, or will by itself.
  void close();

  // Two connected ends. Throws ERR_BUILD_PROCESS.
  static void open(int ends[2]);

  // False if the other end has to receive first. Throws ERR_BUILD_PROCESS.
  bool send(Mapping const& mapping);
  // Throws ERR_BUILD_PROCESS if none was sent, or ERR_WEIGHTS_FILE.
  std::shared_ptr<Mapping> receive_mapping();

  // Copies the plan to memory that nobody can change, and sends it. Throws ERR_MEMORY if there is too little, ERR_BUILD_PROCESS.
  void send(Plan const& plan);
  // Throws ERR_BUILD_PROCESS if none was sent, or others could change it.
  Plan receive_plan();

 private:
  bool pass(int fd, Backing const& backing);
  int take(Backing& backing);
  int fd_;
  int child_ = 0;
};

}  // namespace ntrt
