// Watching programs from inside: debug::print and debug::callback, under every transformation.
//
//   debug::print("step {}: loss = {:.3f}", i, loss);
//
// Both are given what the program computes: concrete arrays, when it runs. They happen once for each time that the
// program comes by: in each step of a loop, in the branch that is taken, for each example of vmap in order (for those
// alone whose branch or loop it is; and once where all examples share the arguments), and once in the derivative of a
// program, with the primal values. They are never removed because nothing uses them; what computes their arguments is
// not removed either.
#pragma once

#include <functional>
#include <iosfwd>

#include "weft/api/callback.h"
#include "weft/core/format.h"

namespace weft::debug {

/// As the first argument of print: see CallbackOptions::ordered.
struct Ordered {};
inline constexpr Ordered ordered;

/// The text of a print, with its line.
struct Text {
  std::string_view text;
  SourceLocation loc;
  template <class T>
    requires std::is_convertible_v<const T&, std::string_view>
  Text(const T& t, SourceLocation l = std::source_location::current()) : text(t), loc(l) {}  // implicit by design
};

/// Gets each text that is printed, with its final newline. Called by one thread at a time.
using PrintSink = std::function<void(std::string_view)>;
/// Prints go to `sink` from now on, in the whole process; an empty one stands for the standard output, which is flushed
/// after each. Returns what was there before.
PrintSink set_print_sink(PrintSink sink);

/// While it lives, prints go to a stream, which is flushed after each, or to a function: of several that live, in the
/// whole process, to what the youngest says.
class PrintTo {
 public:
  explicit PrintTo(std::ostream& out);
  explicit PrintTo(PrintSink sink);
  ~PrintTo();
  PrintTo(const PrintTo&) = delete;
  PrintTo& operator=(const PrintTo&) = delete;
};

namespace detail {
void print(const Text& text, bool ordered, const FormatArgs& args);
}  // namespace detail

/// Prints the text, a line of its own, with the values that the arguments have when the program runs: {} and {1} as
/// core/format.h says. Arguments are arrays and trees of arrays; numbers, strings and enums are part of the text.
/// ValueError, when it is traced, for a text that does not fit its arguments. Source: jax.debug.print.
template <class... A>
void print(const Text& text, const A&... args) {
  detail::print(text, false, FormatArgs::of(args...));
}
/// The same, in the order of the program among all that is ordered.
template <class... A>
void print(Ordered, const Text& text, const A&... args) {
  detail::print(text, true, FormatArgs::of(args...));
}

struct CallbackOptions {
  /// Shown in programs and error messages.
  std::string name = "f";
  /// Whether calls keep their order among all that is ordered. Otherwise a compiler may move them past each other.
  /// What is ordered cannot be mapped by vmap (ValueError), which runs examples side by side.
  bool ordered = false;
};

/// A function that calls `f` on the host with the values that its arguments, trees of arrays, have when the program
/// runs: debug::callback(f)(x, y). It returns nothing, so derivatives go past it: f is given primal values. What f
/// throws comes out of the program's call; an Error gets a note that names this line. f may be called from any thread,
/// after this function has returned. Source: jax.debug.callback.
template <class F>
auto callback(F&& f, CallbackOptions options = {}, SourceLocation loc = std::source_location::current()) {
  return [f = std::decay_t<F>(std::forward<F>(f)), options = std::move(options), loc](auto&&... args) {
    auto pack = api::prepare<decltype(f)>(std::forward<decltype(args)>(args)...);
    const api::HostCall call{CallbackKind::kDebug, options.name, options.ordered, VmapMethod::kSequential, loc};
    api::call_host(call, api::host_function(f, pack), tree::leaves(pack), {}, {});
  };
}

}  // namespace weft::debug
