#include "weft/runtime/compilation.h"

#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <mutex>
#include <optional>
#include <utility>

#include "weft/base/environment.h"
#include "weft/base/error.h"

namespace weft {

namespace {

struct State {
  std::mutex mutex;
  std::optional<std::string> folder;  // none: the environment has not been asked yet
  bool told = false;                  // that it cannot be written to
  CompilationStats stats;
};
State& state() {
  static State* const s = new State;  // outlives static programs
  return *s;
}

// The folder stays the same when the process goes to another one.
std::string absolute(const std::string& folder) {
  return folder.empty() ? folder : std::filesystem::absolute(folder).string();
}

// Why programs' code cannot be kept in the folder, or "".
std::string why_unusable(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return "cannot make it: " + error.message();
  if (::access(folder.c_str(), R_OK | W_OK | X_OK) != 0)
    return "cannot write there: " + std::error_code(errno, std::generic_category()).message();
  return "";
}

}  // namespace

Effort default_effort() {
  static const Effort effort = [] {
    const std::string_view text = environment_text("WEFT_EFFORT");
    if (text.empty() || text == "default") return Effort::kDefault;
    if (text == "none") return Effort::kNone;
    if (text == "max") return Effort::kMax;
    const ForcedLocation nowhere{SourceLocation()};  // no line of the program is at fault
    throw ValueError("WEFT_EFFORT: the environment variable must be none, default or max; got '" + std::string(text) +
                     "'.");
  }();
  return effort;
}

void set_compilation_cache(const std::string& folder, SourceLocation loc) {
  if (!folder.empty())
    if (const std::string why = why_unusable(folder); !why.empty()) {
      const LocationScope scope(loc, "set_compilation_cache");
      throw BackendError("set_compilation_cache: the folder must be one that can be written to; got " + folder + ": " +
                         why + ".");
    }
  const std::lock_guard lock(state().mutex);
  state().folder = absolute(folder);
  state().told = false;
}

std::string compilation_cache() {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (!s.folder) {
    s.folder = absolute(std::string(environment_text("WEFT_CACHE_DIR")));
    if (!s.folder->empty())
      if (const std::string why = why_unusable(*s.folder); !why.empty()) {
        std::cerr << "weft: WEFT_CACHE_DIR names " << *s.folder << ": " << why << "; code is not kept.\n";
        s.folder->clear();
      }
  }
  return *s.folder;
}

CompilationStats compilation_stats() {
  const std::lock_guard lock(state().mutex);
  return state().stats;
}

namespace detail {

void count_compiled(double seconds) {
  const std::lock_guard lock(state().mutex);
  ++state().stats.compiled;
  state().stats.compile_seconds += seconds;
}
void count_loaded(double seconds) {
  const std::lock_guard lock(state().mutex);
  ++state().stats.loaded;
  state().stats.load_seconds += seconds;
}
void count_refused() {
  const std::lock_guard lock(state().mutex);
  ++state().stats.refused;
}
void warn_of_cache(const std::string& why) {
  const std::lock_guard lock(state().mutex);
  if (!std::exchange(state().told, true)) std::cerr << "weft: compiled code is not kept: " << why << ".\n";
}

}  // namespace detail

}  // namespace weft
