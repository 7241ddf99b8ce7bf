// Cubins of the stand-in: ELF files for GPUs, with the parameters of each kernel where NVCC writes them (.nv.info.NAME) and, in
// section .standin, lines "LOWERED SIZE,SIZE NAME EXPRESSION".
#pragma once

#include "common.h"

#include <optional>
#include <vector>

namespace standin {

struct CubinKernel {
  std::string lowered;
  std::string name;  // the name expression
  std::vector<size_t> sizes;
};

namespace cubin {

struct Header {
  unsigned char ident[16];
  uint16_t type, machine;
  uint32_t version;
  uint64_t entry, programs, sections;
  uint32_t flags;
  uint16_t size, program_size, program_count, section_size, section_count, names;
};
struct Section {
  uint32_t name, type;
  uint64_t flags, address, offset, size;
  uint32_t link, info;
  uint64_t align, entry_size;
};
static_assert(sizeof(Header) == 64 && sizeof(Section) == 64);

template <class T>
void append(std::string& out, T value) {
  out.append(reinterpret_cast<char const*>(&value), sizeof value);
}

inline std::string parameters(std::vector<size_t> const& sizes) {
  std::string out;
  uint16_t offset = 0;
  for (size_t i = 0; i < sizes.size(); i++) {
    offset = static_cast<uint16_t>((offset + sizes[i] - 1) / sizes[i] * sizes[i]);
    // KPARAM_INFO: format, attribute, bytes that follow; index, ordinal, offset, size
    append(out, uint8_t{4}), append(out, uint8_t{0x17}), append(out, uint16_t{12});
    append(out, uint32_t{0}), append(out, static_cast<uint16_t>(i)), append(out, offset), append(out, static_cast<uint32_t>(sizes[i] << 18));
    offset = static_cast<uint16_t>(offset + sizes[i]);
  }
  append(out, uint8_t{3}), append(out, uint8_t{0x19}), append(out, offset);  // CBANK_PARAM_SIZE
  return out;
}

// `arch`: 90 is sm_90.
inline std::string write(int arch, std::vector<CubinKernel> const& kernels) {
  std::vector<std::pair<std::string, std::string>> parts{{"", ""}, {".standin", ""}};
  for (auto const& kernel : kernels) {
    std::string sizes;
    for (size_t size : kernel.sizes) sizes += (sizes.empty() ? "" : ",") + std::to_string(size);
    parts[1].second += kernel.lowered + " " + (sizes.empty() ? "-" : sizes) + " " + kernel.name + "\n";
    parts.emplace_back(".nv.info." + kernel.lowered, parameters(kernel.sizes));
  }
  parts.emplace_back(".shstrtab", "");
  std::vector<uint32_t> labels;
  for (auto const& [name, data] : parts) {
    labels.push_back(static_cast<uint32_t>(parts.back().second.size()));
    parts.back().second += name + '\0';
  }
  Header header{{0x7f, 'E', 'L', 'F', 2, 1, 1}, 2, 190, 1, 0, 0, 0, static_cast<uint32_t>(arch), sizeof(Header), 56, 0, sizeof(Section), static_cast<uint16_t>(parts.size()), static_cast<uint16_t>(parts.size() - 1)};
  std::string body, table;
  for (size_t i = 0; i < parts.size(); i++) {
    Section section{};
    section.name = labels[i];
    section.type = i == 0 ? 0 : i + 1 == parts.size() ? 3 : 1;
    section.offset = i == 0 ? 0 : sizeof(Header) + body.size();
    section.size = parts[i].second.size();
    append(table, section);
    body += parts[i].second;
    while (body.size() % 8) body += '\0';
  }
  header.sections = sizeof(Header) + body.size();
  std::string out;
  append(out, header);
  return out + body + table;
}

// Nothing if it is no such file. Like the driver, it learns the length from the header.
inline std::optional<std::vector<CubinKernel>> read(void const* image, int* arch) {
  Header header;
  char const* const bytes = static_cast<char const*>(image);
  std::memcpy(&header, bytes, sizeof header);
  if (std::memcmp(header.ident, "\x7f" "ELF", 4) != 0 || header.machine != 190 || header.section_size != sizeof(Section) || header.names >= header.section_count || header.sections > 1 << 24) return std::nullopt;
  *arch = static_cast<int>(header.flags);
  std::vector<Section> sections(header.section_count);
  std::memcpy(sections.data(), bytes + header.sections, sections.size() * sizeof(Section));
  for (auto const& section : sections) {
    if (section.offset > header.sections || section.size > header.sections) return std::nullopt;
    if (std::strncmp(bytes + sections[header.names].offset + section.name, ".standin", 9) != 0) continue;
    std::vector<CubinKernel> kernels;
    std::istringstream lines(std::string(bytes + section.offset, section.size));
    for (std::string line; std::getline(lines, line);) {
      std::istringstream fields(line);
      auto& kernel = kernels.emplace_back();
      std::string sizes;
      fields >> kernel.lowered >> sizes;
      std::getline(fields >> std::ws, kernel.name);
      std::istringstream list(sizes == "-" ? "" : sizes);
      for (std::string size; std::getline(list, size, ',');) kernel.sizes.push_back(std::stoul(size));
    }
    return kernels;
  }
  return std::nullopt;
}

}  // namespace cubin

}  // namespace standin
