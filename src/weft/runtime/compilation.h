// How programs are made ready to run, for the whole process: how much time that may take, where code is kept between
// processes, and what it has cost so far. Knows nothing of programs.
#pragma once

#include <cstdint>
#include <string>

#include "weft/base/location.h"

namespace weft {

/// How much is done before a program runs. Results are the same to the bit at each, but for the sums of small products,
/// which code adds up in another order than operations that run one by one.
enum class Effort : std::uint8_t {
  kNone,     ///< nothing: operations run one by one, at once
  kDefault,  ///< code, made quickly
  kMax,      ///< code with all that LLVM can do for it, which may take thirty times as long
};

/// The effort where none is asked for: WEFT_EFFORT in the environment ("none", "default" or "max"), else kDefault.
/// ValueError for another text.
Effort default_effort();

/// Keeps the code of programs in files of this folder, which is made if it is not there, and reads it from there
/// instead of making it again: also in later processes, and in several at a time. "" keeps none. Until this is called,
/// WEFT_CACHE_DIR in the environment names the folder; a folder of that which cannot be used is told once, on stderr.
///
/// An entry is read only by the build of Weft that wrote it and on a processor of the same kind, and only when it is
/// whole. Files may be removed at any time. Their code is run: let nobody write there who may not run code as you.
/// BackendError when the folder cannot be made or written to; what was set before then stays.
void set_compilation_cache(const std::string& folder, SourceLocation loc = std::source_location::current());

/// The folder in use, or "".
std::string compilation_cache();

/// What programs' code has cost in this process. Effort::kNone and builds without LLVM make none.
struct CompilationStats {
  std::int64_t compiled = 0;   ///< programs whose code was made
  std::int64_t loaded = 0;     ///< programs whose code was read from the cache
  std::int64_t refused = 0;    ///< entries of the cache that were damaged or another's; their programs were compiled
  double compile_seconds = 0;  ///< making code, after the program was simplified and scheduled
  double load_seconds = 0;     ///< finding and reading entries of the cache
};
CompilationStats compilation_stats();

namespace detail {
void count_compiled(double seconds);
void count_loaded(double seconds);
void count_refused();
/// Tells on stderr, once for a folder, why code could not be kept.
void warn_of_cache(const std::string& why);
}  // namespace detail

}  // namespace weft
