// Errors as values: checks inside programs, whose failures come out beside the result.
//
//   const auto f = checkify::checkify([](Array x) {
//     checkify::check(np::all(x > 0), "x must be positive, got {}", x);
//     return np::log(x);
//   });
//   const auto [error, y] = jit(f)(x);
//   error.throw_();
//
// The first failure in the order of the program is kept; everything is computed to the end all the same. An error is a
// tree of arrays (a number and the values of its message), so it goes through jit, vmap, loops and grad's auxiliary
// results on any device. Under vmap of a checkified function there is one error per example; a checkified function with
// vmap inside gives the first example that failed. Source: jax.experimental.checkify.
#pragma once

#include <optional>

#include "weft/api/debug.h"
#include "weft/control/checkify.h"

template <>
struct std::hash<weft::control::CheckSites> {
  std::size_t operator()(const weft::control::CheckSites& s) const { return std::hash<std::string>()(s.text()); }
};

namespace weft::checkify {

/// Which failures become values.
class ErrorSet {
 public:
  constexpr explicit ErrorSet(std::initializer_list<CheckKind> kinds) {
    for (const CheckKind k : kinds) bits_ |= 1u << static_cast<unsigned>(k);
  }
  friend constexpr ErrorSet operator|(ErrorSet a, ErrorSet b) {
    a.bits_ |= b.bits_;
    return a;
  }
  constexpr unsigned bits() const { return bits_; }

 private:
  unsigned bits_ = 0;
};
inline constexpr ErrorSet user_checks{CheckKind::kUser};     ///< checkify::check
inline constexpr ErrorSet nan_checks{CheckKind::kNan};       ///< an operation gives NaN (not one that only moves it)
inline constexpr ErrorSet div_checks{CheckKind::kDivision};  ///< a division or remainder by zero
inline constexpr ErrorSet index_checks{CheckKind::kIndex};   ///< an index out of range, which otherwise is clamped
inline constexpr ErrorSet float_checks = nan_checks | div_checks;
inline constexpr ErrorSet automatic_checks = float_checks | index_checks;
inline constexpr ErrorSet all_checks = automatic_checks | user_checks;

/// What went wrong first, if anything did.
class Error {
 public:
  /// Nothing did.
  Error() = default;
  Error(Array code, std::vector<Array> values, control::CheckSites sites)
      : code_(std::move(code)), values_(std::move(values)), sites_{std::move(sites)} {}

  /// The text of what throw_ throws; for errors of several examples, one for each that failed, on lines of their own.
  /// ConcretizationError where it is not known, inside of jit.
  std::optional<std::string> get() const;
  /// Throws if something went wrong: IndexError for an index, else ValueError, at the line of the check or operation;
  /// of several examples, the first that failed. ConcretizationError where it is not known.
  void throw_() const;
  /// Whether something went wrong.
  explicit operator bool() const { return get().has_value(); }

  WEFT_TREE(code_, values_, sites_)

 private:
  friend void check_error(const Error& error, SourceLocation loc);
  template <class Report>
  void for_each_failure(Report&& report) const;

  Array code_;                 // i32: the number of the site, 0 for none
  std::vector<Array> values_;  // with the code's axes in front
  StaticArg<control::CheckSites> sites_;
};

namespace detail {
void check(const Array& pred, const SourceLocation& loc, std::string_view message, const FormatArgs& args);
struct Outcome {
  Error error;
  Arrays results;
};
Outcome run(const Staged& staged, unsigned kinds, std::span<const Array> leaves, const SourceLocation& loc);
}  // namespace detail

/// Says that `pred`, bool[], is true when the program runs; `message` has places for `values` as debug::print's text.
/// Outside of programs it throws at once: ValueError with the message. In a program it is an effect that checkify makes
/// a value; ValueError when a program is compiled where that has not been done. Source:
/// jax.experimental.checkify.check.
template <class... A>
void check(const Arg& pred, std::string_view message, const A&... values) {
  detail::check(pred.array(), pred.location(), message, FormatArgs::of(values...));
}

/// Throws the error if there is one, as error.throw_() does. In a program it is a check of an enclosing checkify
/// instead.
void check_error(const Error& error, SourceLocation loc = std::source_location::current());

/// A function with f's arguments that returns std::pair(error, result), and fails for none of `errors`. f is staged on
/// every call, so jit the function if it runs often: jit(checkify(f)). Derivatives of results are f's; checkify a
/// function that contains grad to check its backward pass too.
template <class F>
auto checkify(F&& f, ErrorSet errors = user_checks, SourceLocation loc = std::source_location::current()) {
  return [f = std::decay_t<F>(std::forward<F>(f)), errors, loc](auto&&... args) {
    auto pack = api::prepare<decltype(f)>(std::forward<decltype(args)>(args)...);
    const std::string name = api::transform_name("checkify(f)", loc);
    const Arrays leaves = tree::leaves(pack);
    api::Callable<std::remove_reference_t<decltype((f))>, decltype(pack)> call(f, pack);
    const ir::Avals inputs = avals_of(leaves);
    const Staged staged = api::with_note(name, [&] { return stage(call.flat(), inputs, name); });
    detail::Outcome outcome = detail::run(staged, errors.bits(), leaves, loc);
    return std::pair(std::move(outcome.error), call.result(outcome.results));
  };
}

}  // namespace weft::checkify
