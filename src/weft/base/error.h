// The error classes of Weft. Every mistake a user can make throws one of these;
// InternalError alone means a bug in Weft. Each class has a page in docs/errors/.
//
// Text: "<op>: <what must hold>; got <values>.", then "  at file:line", then one
// line per note ("  while tracing jit(f) at ..."), then "hint: ...". <op> is the
// function that the user called (see LocationScope), not the one it is built from.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "weft/base/location.h"

namespace weft {

class Error : public std::exception {
 public:
  /// The message alone, without place, notes or hint.
  const std::string& message() const { return message_; }
  const SourceLocation& location() const { return location_; }
  const std::vector<std::string>& notes() const { return notes_; }
  const std::string& hint() const { return hint_; }
  /// "ShapeError", ...
  std::string_view kind() const { return kind_; }

  /// Adds a context line, innermost first. Used while the error passes outwards.
  void add_note(std::string note);
  /// The whole text as described at the top of this file.
  const char* what() const noexcept override { return text_.c_str(); }

 protected:
  Error(const char* kind, std::string message, std::string hint);

 private:
  void compose();

  const char* kind_;
  std::string message_;
  std::string hint_;
  SourceLocation location_;
  std::vector<std::string> notes_;
  std::string text_;
};

#define WEFT_ERROR_CLASS(Name)                                                                                       \
  class Name : public Error {                                                                                        \
   public:                                                                                                           \
    explicit Name(std::string message, std::string hint = {}) : Error(#Name, std::move(message), std::move(hint)) {} \
  }

/// Shapes, ranks or axis sizes do not fit the operation.
WEFT_ERROR_CLASS(ShapeError);
/// An element type does not fit the operation, or two types do not promote.
WEFT_ERROR_CLASS(DTypeError);
/// A static index or axis is out of range.
WEFT_ERROR_CLASS(IndexError);
/// A value was needed (for `if`, a size, printing numbers) but is only known when the program runs.
WEFT_ERROR_CLASS(ConcretizationError);
/// A check mode (debug::CheckScope) found a NaN or an infinity.
WEFT_ERROR_CLASS(NonFiniteError);
/// A traced value outlived its transformation, or crossed threads.
WEFT_ERROR_CLASS(LeakError);
/// A derivative was asked for that does not exist.
WEFT_ERROR_CLASS(NotDifferentiableError);
/// A collective names an axis that no enclosing transformation binds.
WEFT_ERROR_CLASS(UnboundAxisError);
/// Two trees that must have equal structure differ; the text names the path.
WEFT_ERROR_CLASS(TreeError);
/// An array was used after its memory was donated.
WEFT_ERROR_CLASS(DonatedError);
/// Text or a file is not what its format says; the text names the place.
WEFT_ERROR_CLASS(ParseError);
/// A device, a library or the operating system refused.
WEFT_ERROR_CLASS(BackendError);
/// An argument's value is outside what the function accepts.
WEFT_ERROR_CLASS(ValueError);
/// A bug in Weft.
WEFT_ERROR_CLASS(InternalError);

#undef WEFT_ERROR_CLASS

/// Throws InternalError when `condition` is false: an invariant of ours, never the user's fault.
inline void internal_check(bool condition, const char* what) {
  if (!condition) [[unlikely]]
    throw InternalError(what);
}

}  // namespace weft
