// Memory for the elements of weights: a file mapped copy-on-write, which survives the file's truncation, or memory of our own.
#pragma once

#include <time.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace ntrt {

class Mapping {
 public:
  // Throws ERR_WEIGHTS_FILE.
  static std::shared_ptr<Mapping> open(std::string const& path);
  // Zeros that belong to no file. Throws std::bad_alloc.
  static std::shared_ptr<Mapping> allocate(size_t size);
  ~Mapping();
  Mapping(Mapping const&) = delete;
  Mapping& operator=(Mapping const&) = delete;

  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  // False once the file has another size or time of writing than when it was mapped, or a page could not be read.
  bool intact() const;

 private:
  Mapping(int fd, uint8_t* data, size_t size, int slot, timespec written);
  int fd_;  // -1 for memory of our own
  uint8_t* data_;
  size_t size_;
  int slot_;  // -1 if no page can vanish
  timespec written_;
};

}  // namespace ntrt
