// Memory for the elements of weights: a file mapped copy-on-write, which survives the file's truncation, or memory of our own,
// which other processes may share.
#pragma once

#include <time.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace ntrt {

// What a mapping shows, as another process needs to know it.
struct Backing {
  uint64_t size;
  int64_t seconds, nanoseconds;  // when the file was written
  uint32_t is_file;              // else memory of our own
};

class Mapping {
 public:
  // Throws ERR_WEIGHTS_FILE.
  static std::shared_ptr<Mapping> open(std::string const& path);
  // The file behind a descriptor, which stays the caller's. Throws ERR_WEIGHTS_FILE.
  static std::shared_ptr<Mapping> of_descriptor(int descriptor);
  // Zeros that belong to no file. Throws std::bad_alloc.
  static std::shared_ptr<Mapping> allocate(size_t size);
  // The same in memory that another process can map. Throws std::bad_alloc if the system has not that much.
  static std::shared_ptr<Mapping> allocate_shared(size_t size);
  // Maps what another process mapped and sent; takes the descriptor over. Throws ERR_WEIGHTS_FILE.
  static std::shared_ptr<Mapping> adopt(int fd, Backing const& backing);
  ~Mapping();
  Mapping(Mapping const&) = delete;
  Mapping& operator=(Mapping const&) = delete;

  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  // False once the file has another size or time of writing than when it was mapped, or a page could not be read.
  bool intact() const;
  // Reads bytes of the file without mapping their pages. False if it cannot be read, or has become shorter. Only for a mapping of a file.
  bool read(size_t offset, void* target, size_t size) const;
  // "device:inode:size:written:changed" of the file as it is now, times in nanoseconds; empty for memory of our own. Another content
  // has another identity.
  std::string identity() const;

  // What another process can map, which then reads the same bytes unless they were written in this one; -1 if there is nothing.
  int fd() const { return fd_; }
  Backing backing() const { return {size_, written_.tv_sec, written_.tv_nsec, is_file_}; }
  // Whether another process reads these bytes of the mapping as they are here: it can map them, and no page of theirs was written.
  bool is_as_shared(size_t offset, size_t length) const;

 private:
  Mapping(int fd, uint8_t* data, size_t size, int slot, timespec written, bool is_file);
  // Both take the descriptor.
  static std::shared_ptr<Mapping> map(int fd);
  static std::shared_ptr<Mapping> of_file(int fd, size_t size, timespec written);
  int fd_;  // -1 for memory of this process alone
  uint8_t* data_;
  size_t size_;
  int slot_;  // -1 if no page can vanish
  timespec written_;
  bool is_file_;
};

}  // namespace ntrt
