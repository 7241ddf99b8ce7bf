// A stand-in for libnvrtc.so.12. It compiles nothing: it scans the source for `__global__ void NAME(parameters)` and writes the
// stand-in driver's cubins (cuda/modules.cc). Source with `#error TEXT` fails, with NVRTC's form of a log.
#include <cctype>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "../cubin.h"

using namespace standin;

namespace {

enum Result { success = 0, out_of_memory = 1, invalid_input = 3, invalid_option = 5, compilation = 6, no_name_expressions = 8, name_expression = 10 };

struct Program {
  std::string source;
  std::string file;
  std::vector<std::string> names;
  std::map<std::string, std::string> lowered;
  std::string cubin;
  std::string log;
};

std::string trimmed(std::string text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
  size_t at = 0;
  while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at]))) at++;
  return text.substr(at);
}

// Commas that are in no brackets part a list.
std::vector<std::string> split(std::string const& text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  for (char c : text) {
    if (c == '<' || c == '(') depth++;
    if (c == '>' || c == ')') depth--;
    if (c == ',' && depth == 0) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  for (auto& part : parts) part = trimmed(part);
  if (parts.size() == 1 && parts[0].empty()) parts.clear();
  return parts;
}

bool is_word(std::string const& text, size_t at, std::string const& word) {
  auto const inside = [&](size_t i) { return i < text.size() && (std::isalnum(static_cast<unsigned char>(text[i])) || text[i] == '_'); };
  return text.compare(at, word.size(), word) == 0 && !(at > 0 && inside(at - 1)) && !inside(at + word.size());
}

size_t find_word(std::string const& text, std::string const& word, size_t from = 0) {
  for (size_t at = text.find(word, from); at != std::string::npos; at = text.find(word, at + 1)) {
    if (is_word(text, at, word)) return at;
  }
  return std::string::npos;
}

std::string without_comments(std::string const& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); i++) {
    if (text.compare(i, 2, "//") == 0) i = text.find('\n', i);
    if (text.compare(i, 2, "/*") == 0) i = text.find("*/", i) + 2;
    if (i >= text.size()) break;
    out += text[i];
  }
  return out;
}

struct Declaration {
  std::vector<std::string> templates;  // names of the template's parameters
  std::vector<std::string> parameters;
};

bool find_kernel(std::string const& source, std::string const& name, Declaration& found) {
  for (size_t at = find_word(source, "__global__"); at != std::string::npos; at = find_word(source, "__global__", at + 1)) {
    size_t open = source.find('(', at);
    // __launch_bounds__(256) before the name
    for (size_t bounds = find_word(source, "__launch_bounds__", at); bounds != std::string::npos && bounds < open;) {
      open = source.find('(', source.find(')', open));
      break;
    }
    std::string const before = trimmed(source.substr(at, open - at));
    if (before.size() < name.size() || !is_word(before, before.size() - name.size(), name)) continue;
    int depth = 0;
    size_t close = open;
    for (; close < source.size(); close++) {
      if (source[close] == '(') depth++;
      if (source[close] == ')' && --depth == 0) break;
    }
    found.parameters = split(source.substr(open + 1, close - open - 1));
    // `template <typename T, int block>` right before
    size_t const end = source.find_last_of(";}", at);
    size_t const start = find_word(source, "template", end == std::string::npos ? 0 : end);
    if (start != std::string::npos && start < at) {
      size_t const from = source.find('<', start);
      for (auto const& one : split(source.substr(from + 1, source.rfind('>', at) - from - 1))) {
        std::string const plain = trimmed(one.substr(0, one.find('=')));
        found.templates.push_back(plain.substr(plain.find_last_of(" \t") + 1));
      }
    }
    return true;
  }
  return false;
}

int size_of(std::string type, Declaration const& declaration, std::vector<std::string> const& arguments) {
  if (type.find('*') != std::string::npos) return 8;
  for (size_t i = 0; i < declaration.templates.size() && i < arguments.size(); i++) {
    size_t const at = find_word(type, declaration.templates[i]);
    if (at != std::string::npos) type.replace(at, declaration.templates[i].size(), arguments[i]);
  }
  auto const has = [&](char const* word) { return find_word(type, word) != std::string::npos; };
  for (char const* word : {"double", "int64_t", "uint64_t", "size_t"}) {
    if (has(word)) return 8;
  }
  if (has("long")) return 8;
  for (char const* word : {"__half", "half", "__nv_bfloat16", "short", "int16_t", "uint16_t"}) {
    if (has(word)) return 2;
  }
  for (char const* word : {"char", "bool", "int8_t", "uint8_t"}) {
    if (has(word)) return 1;
  }
  return 4;
}

std::string mangled(std::string const& name) {
  std::string out = "_Z" + std::to_string(name.size());
  for (char c : name) out += std::isalnum(static_cast<unsigned char>(c)) || c == '_' ? std::string(1, c) : "_" + std::to_string(static_cast<int>(c));
  return out + "v";
}

int compile(Program& program, std::vector<std::string> const& options) {
  std::string arch;
  for (size_t i = 0; i < options.size(); i++) {
    std::string const& option = options[i];
    size_t const at = option.find("sm_");
    if (at != std::string::npos && option.find("arch") != std::string::npos) arch = option.substr(at + 3);
    else if (at == 0) arch = option.substr(3);
  }
  if (arch.empty()) return program.log = "stand-in: no --gpu-architecture=sm_…\n", invalid_option;
  while (!arch.empty() && !std::isdigit(static_cast<unsigned char>(arch.back()))) arch.pop_back();  // sm_90a
  std::string const source = without_comments(program.source);
  if (size_t const at = program.source.find("#error"); at != std::string::npos) {
    int line = 1;
    for (size_t i = 0; i < at; i++) line += program.source[i] == '\n';
    std::string const text = trimmed(program.source.substr(at + 6, program.source.find('\n', at) - at - 6));
    program.log = program.file + "(" + std::to_string(line) + "): catastrophic error: #error directive: " + text + "\n  #error " + text + "\n   ^\n\n1 catastrophic error detected in the compilation of \"" + program.file + "\".\nCompilation terminated.\n";
    return compilation;
  }
  std::vector<CubinKernel> kernels;
  for (auto const& name : program.names) {
    size_t const open = name.find('<');
    std::string base = trimmed(name.substr(0, open));
    base = trimmed(base.substr(base.find_last_of("&:") + 1));
    auto const arguments = open == std::string::npos ? std::vector<std::string>() : split(name.substr(open + 1, name.rfind('>') - open - 1));
    Declaration declaration;
    if (!find_kernel(source, base, declaration)) {
      program.log = program.file + "(1): error: identifier \"" + base + "\" is undefined\n\n1 error detected in the compilation of \"" + program.file + "\".\n";
      return compilation;
    }
    program.lowered[name] = mangled(name);
    auto& kernel = kernels.emplace_back(CubinKernel{mangled(name), name, {}});
    for (auto const& parameter : declaration.parameters) kernel.sizes.push_back(size_of(parameter, declaration, arguments));
  }
  program.cubin = cubin::write(std::stoi(arch), kernels);
  return success;
}

}  // namespace

extern "C" {

int nvrtcVersion(int* major, int* minor) { return *major = 12, *minor = 9, success; }
char const* nvrtcGetErrorString(int result) {
  switch (result) {
    case success: return "NVRTC_SUCCESS";
    case invalid_input: return "NVRTC_ERROR_INVALID_INPUT";
    case invalid_option: return "NVRTC_ERROR_INVALID_OPTION";
    case compilation: return "NVRTC_ERROR_COMPILATION";
    case name_expression: return "NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID";
    default: return "NVRTC_ERROR_INTERNAL_ERROR";
  }
}
constexpr int archs[] = {50, 52, 53, 60, 61, 62, 70, 72, 75, 80, 86, 87, 89, 90, 100, 101, 103, 120, 121};
int nvrtcGetNumSupportedArchs(int* count) { return *count = sizeof archs / sizeof *archs, success; }
int nvrtcGetSupportedArchs(int* out) {
  for (int arch : archs) *out++ = arch;
  return success;
}

int nvrtcCreateProgram(void** program, char const* source, char const* file, int, char const* const*, char const* const*) {
  auto* const made = new Program;
  made->source = source;
  made->file = file && *file ? file : "default_program";
  return *program = made, success;
}
int nvrtcDestroyProgram(void** program) { return delete static_cast<Program*>(*program), *program = nullptr, success; }
int nvrtcAddNameExpression(void* program, char const* name) { return static_cast<Program*>(program)->names.emplace_back(name), success; }
int nvrtcCompileProgram(void* program, int count, char const* const* options) {
  auto& p = *static_cast<Program*>(program);
  Line line("nvrtc", "nvrtcCompileProgram");
  std::string list;
  for (int i = 0; i < count; i++) list += (i ? "," : "") + quoted(options[i]);
  line.raw("options", "[" + list + "]");
  int const result = compile(p, {options, options + count});
  line.number("result", result);
  return result;
}
int nvrtcGetProgramLogSize(void* program, size_t* size) { return *size = static_cast<Program*>(program)->log.size() + 1, success; }
int nvrtcGetProgramLog(void* program, char* log) { return std::strcpy(log, static_cast<Program*>(program)->log.c_str()), success; }
int nvrtcGetCUBINSize(void* program, size_t* size) { return *size = static_cast<Program*>(program)->cubin.size(), success; }
int nvrtcGetCUBIN(void* program, char* cubin) {
  auto const& bytes = static_cast<Program*>(program)->cubin;
  return std::memcpy(cubin, bytes.data(), bytes.size()), success;
}
int nvrtcGetLoweredName(void* program, char const* name, char const** lowered) {
  auto const& all = static_cast<Program*>(program)->lowered;
  auto const found = all.find(name);
  if (found == all.end()) return name_expression;
  return *lowered = found->second.c_str(), success;
}
}
