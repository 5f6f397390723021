#include "weft/cpu/codegen/code_cache.h"

#include <llvm-c/Core.h>
#include <llvm/Config/llvm-config.h>
#include <llvm/Support/BLAKE3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "weft/base/whole_file.h"
#include "weft/cpu/codegen/build_id.h"

namespace weft::cpu {

namespace {

using Hash = std::array<std::uint8_t, 32>;

Hash hash_of(std::string_view bytes) {
  return llvm::BLAKE3::hash<32>(llvm::ArrayRef(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

// Changes with what stands in an entry.
constexpr std::uint32_t kFormat = 2;

struct Header {
  std::array<char, 8> magic = {'W', 'E', 'F', 'T', 'C', 'O', 'D', 'E'};
  std::uint32_t format = kFormat;
  std::uint32_t has_raw = 0;
  std::uint64_t steps = 0, loops = 0;  // numbers of equations, two words each
  std::uint64_t objects = 0;           // numbers of bytes, one each, and then the bytes
  Hash key{};
  Hash whole{};  // of the entry, with zeros in this place
};
static_assert(sizeof(Header) == 104 && std::is_trivially_copyable_v<Header>);

Hash hash_of_entry(Header h, std::string_view content) {
  h.whole = {};
  std::string bytes(reinterpret_cast<const char*>(&h), sizeof h);
  return hash_of(bytes.append(content));
}

Hash key_of(const compiler::Program& program, Effort effort) {
  // LLVM is a library of its own, which may be another version than the headers were of.
  unsigned major = 0, minor = 0, patch = 0;
  LLVMGetVersion(&major, &minor, &patch);
  std::string text = "weft code " + std::to_string(kFormat) + "\n" + kCompilerBuildId + "\nLLVM " LLVM_VERSION_STRING +
                     " " + std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch) + "\n" +
                     this_machine_text() + "\n" + std::to_string(static_cast<int>(effort)) + "\n" + program.str();
  // What the text for people leaves out: parameters, literals, and memory that only the code itself sees.
  const auto number = [&](std::int64_t n) { text += std::to_string(n) + " "; };
  for (const auto& p : program.procedures) {
    text += p->jaxpr.str();
    text += "\n";
    for (const compiler::Place& place : p->places) {
      number(static_cast<std::int64_t>(place.kind));
      number(place.at);
    }
    for (const bool o : p->overwrites) number(o);
    number(p->has_steps);
    for (const auto& [eqn, nested] : p->nested) {
      number(eqn);
      for (const std::uint32_t n : nested.procedures) number(n);
      number(nested.workspace);
      number(nested.flag);
      for (const std::int64_t s : nested.spare) number(s);
    }
    text += "\n";
  }
  return hash_of(text);
}

std::filesystem::path path_of(const std::string& folder, const Hash& key) {
  std::string name;
  for (const std::uint8_t byte : key) name += {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
  return std::filesystem::path(folder) / (name + ".weft");
}

std::string numbers_of(const compiler::Program& program, std::span<const EquationRef> equations) {
  std::string bytes;
  for (const EquationRef& e : equations) {
    std::uint32_t procedure = 0;
    while (program.procedures[procedure].get() != e.procedure) ++procedure;
    const std::uint32_t words[] = {procedure, e.eqn};
    bytes.append(reinterpret_cast<const char*>(words), sizeof words);
  }
  return bytes;
}

// Takes `count` files and their lengths, at least one, which must be all that there is of `bytes`; false when they are
// not.
bool take_objects(std::string_view bytes, std::uint64_t count, std::vector<std::string>& objects) {
  if (count == 0 || count > bytes.size() / sizeof(std::uint64_t)) return false;
  std::string_view lengths = bytes.substr(0, count * sizeof(std::uint64_t));
  bytes.remove_prefix(lengths.size());
  for (; !lengths.empty(); lengths.remove_prefix(sizeof(std::uint64_t))) {
    std::uint64_t length;
    std::memcpy(&length, lengths.data(), sizeof length);
    if (length > bytes.size()) return false;
    objects.emplace_back(bytes.substr(0, length));
    bytes.remove_prefix(length);
  }
  return bytes.empty();
}

// Takes `count` equations from the front of `bytes`, of which there are enough; false when the program has no such.
bool take_equations(const compiler::Program& program, std::string_view& bytes, std::uint64_t count,
                    std::vector<EquationRef>& equations) {
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint32_t words[2];
    std::memcpy(words, bytes.data(), sizeof words);
    bytes.remove_prefix(sizeof words);
    if (words[0] >= program.procedures.size()) return false;
    const compiler::Procedure* procedure = program.procedures[words[0]].get();
    if (words[1] >= procedure->jaxpr.eqns().size()) return false;
    equations.push_back({procedure, words[1]});
  }
  return true;
}

std::optional<GeneratedCode> parse(const compiler::Program& program, const Hash& key, std::string_view bytes) {
  Header h;
  if (bytes.size() < sizeof h) return std::nullopt;
  std::memcpy(&h, bytes.data(), sizeof h);
  bytes.remove_prefix(sizeof h);
  if (h.magic != Header().magic || h.format != kFormat || h.key != key || h.whole != hash_of_entry(h, bytes))
    return std::nullopt;
  constexpr std::uint64_t kMost = std::uint64_t{1} << 40;  // no sum below overflows
  if (h.steps > kMost || h.loops > kMost || 8 * (h.steps + h.loops) > bytes.size()) return std::nullopt;
  GeneratedCode code;
  if (!take_equations(program, bytes, h.steps, code.steps) || !take_equations(program, bytes, h.loops, code.loops) ||
      !take_objects(bytes, h.objects, code.objects))
    return std::nullopt;
  code.has_raw = h.has_raw != 0;
  return code;
}

void write(const std::filesystem::path& path, const compiler::Program& program, const Hash& key,
           const GeneratedCode& code) {
  std::string content = numbers_of(program, code.steps) + numbers_of(program, code.loops);
  for (const std::string& object : code.objects) {
    const std::uint64_t length = object.size();
    content.append(reinterpret_cast<const char*>(&length), sizeof length);
  }
  for (const std::string& object : code.objects) content += object;
  Header h;
  h.has_raw = code.has_raw;
  h.steps = code.steps.size();
  h.loops = code.loops.size();
  h.objects = code.objects.size();
  h.key = key;
  h.whole = hash_of_entry(h, content);
  // Whole or not at all, so that other processes never see a part.
  if (const auto failure =
          write_whole_file(path, {{std::as_bytes(std::span(&h, 1)), std::as_bytes(std::span(content))}}))
    detail::warn_of_cache("cannot " + std::string(failure->step) + " " + path.string() + ": " +
                          failure->error.message());
}

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

GeneratedCode made_code(const compiler::Program& program, Effort effort) {
  const Stopwatch time;
  CodeOptions options;
  options.effort = effort;
  GeneratedCode code = generate_code(program, options);
  detail::count_compiled(time.seconds());
  return code;
}

}  // namespace

GeneratedCode kept_code(const compiler::Program& program, Effort effort) {
  const std::string folder = compilation_cache();
  if (folder.empty()) return made_code(program, effort);
  const Stopwatch time;
  const Hash key = key_of(program, effort);
  const std::filesystem::path path = path_of(folder, key);
  if (std::ifstream file(path, std::ios::binary); file) {
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    if (std::optional<GeneratedCode> code = parse(program, key, bytes)) {
      detail::count_loaded(time.seconds());
      return std::move(*code);
    }
    detail::count_refused();
  }
  GeneratedCode code = made_code(program, effort);
  write(path, program, key, code);
  return code;
}

}  // namespace weft::cpu
