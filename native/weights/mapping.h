// A file mapped copy-on-write. The mapping survives truncation of the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace ntrt {

class Mapping {
 public:
  // Throws ERR_WEIGHTS_FILE.
  static std::shared_ptr<Mapping> open(std::string const& path);
  ~Mapping();
  Mapping(Mapping const&) = delete;
  Mapping& operator=(Mapping const&) = delete;

  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  // False once the file is shorter than the mapping, or a page could not be read.
  bool intact() const;

 private:
  Mapping(int fd, uint8_t* data, size_t size, int slot);
  int fd_;
  uint8_t* data_;
  size_t size_;
  int slot_;
};

}  // namespace ntrt
