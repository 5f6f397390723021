// Where in the user's source an operation was asked for.
//
// Public functions open a LocationScope with the location their Arg recorded;
// the outermost scope wins, so an np function built from ten lax functions
// still blames the user's line, and errors name the function the user called.
// Rules that run later (transposes, interpreters) use ForcedLocation to blame
// the equation's original line.
#pragma once

#include "weft/base/compiler.h"

#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>

namespace weft {

/// A line of source. `line == 0` means unknown. Programs that were read from text know the column too, which C++ call
/// sites leave at 0: there one line seldom has two faults.
struct SourceLocation {
  const char* file = "";
  const char* function = "";
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  // Explicit, and so is the last: braces are never a place. Literal 0 is a null `const char*`, so `{0, 1}` would be
  // one, and rows of numbers in braces would become the place of the first row.
  constexpr explicit SourceLocation() = default;
  constexpr SourceLocation(const std::source_location& loc)  // implicit by design
      : file(loc.file_name()), function(loc.function_name()), line(loc.line()) {}
  constexpr explicit SourceLocation(const char* file, std::uint32_t line, std::uint32_t column = 0)
      : file(file), line(line), column(column) {}

  explicit operator bool() const { return line != 0; }
  /// "model.cc:42", "model.mlir:4:8": the last path component, the line, and the column if known; "" when unknown.
  std::string str() const;
};

namespace detail {
inline constinit thread_local SourceLocation current_location{};
// Means something only while current_location is known.
inline constinit thread_local std::string_view current_operation{};
// Where this thread last called Weft, and what.
inline constinit thread_local SourceLocation last_location{};
inline constinit thread_local std::string_view last_operation{};
}  // namespace detail

/// The user's line that is being executed on this thread, if known.
inline const SourceLocation& current_location() { return detail::current_location; }

/// The public function that the user called on that line ("dot"), or "".
inline std::string_view current_operation() {
  return detail::current_location.line == 0 ? std::string_view() : detail::current_operation;
}

/// "after greater at model.cc:12": the last call of Weft on this thread, which is as near as one gets where C++ gives
/// no line, as in `if (x > 0)`. "" when that call had none either.
std::string after_last_call();

/// Blames `loc`, and the public function `operation` (static text), until destroyed, unless an outer scope already
/// blames a line.
class LocationScope {
 public:
  explicit LocationScope(const SourceLocation& loc, std::string_view operation = {})
      : owner_(detail::current_location.line == 0) {
    if (!owner_) return;
    detail::current_location = loc;
    detail::current_operation = operation;
  }
  ~LocationScope() {
    if (!owner_) return;
    detail::last_location = detail::current_location;
    detail::last_operation = detail::current_operation;
    detail::current_location.line = 0;
  }
  LocationScope(const LocationScope&) = delete;
  LocationScope& operator=(const LocationScope&) = delete;

 private:
  bool owner_;
};

/// Blames `loc` until destroyed, whatever was blamed before.
/// An unknown `loc` hides the outer scope, so that user code called from inside
/// a transformation is blamed for its own lines.
class ForcedLocation {
 public:
  explicit ForcedLocation(const SourceLocation& loc)
      : saved_(detail::current_location), saved_operation_(detail::current_operation) {
    detail::current_location = loc;
    detail::current_operation = {};
  }
  ~ForcedLocation() {
    detail::current_location = saved_;
    detail::current_operation = saved_operation_;
  }
  ForcedLocation(const ForcedLocation&) = delete;
  ForcedLocation& operator=(const ForcedLocation&) = delete;

 private:
  SourceLocation saved_;
  std::string_view saved_operation_;
};

}  // namespace weft
