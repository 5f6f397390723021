// Assertions about values inside of compiled functions.
//
//   const auto step = testing::chexify([](Array x) {
//     testing::assert_tree_all_finite(x);
//     return np::log(x);
//   });
//   step(np::array({1.0f, np::inf}));   // AssertionError
#pragma once

#include "testing/errors.h"
#include "weft/api/checkify.h"
#include "weft/api/jit.h"

namespace weft::testing {

namespace detail {
/// Throws the error if there is one: an AssertionError when it is of an assertion of this library. Inside of a program
/// it becomes a check of that.
void check_error(const checkify::Error& error, const SourceLocation& loc);
}  // namespace detail

/// `f` compiled, with the assertions in it about values (values.h, scalars.h) and its other checks of the kinds in
/// `errors`: the call computes everything, then throws the first failure in the order of the program, an
/// AssertionError, or for other checks what checkify::Error::throw_ throws. f may be jitted already. A chexified
/// function inside of another leaves its failures to that one. There is nothing to wait for: results are there when the
/// call returns. Source: chex.chexify.
template <class F>
auto chexify(F&& f, checkify::ErrorSet errors = checkify::user_checks,
             SourceLocation loc = std::source_location::current()) {
  using Function = std::decay_t<F>;
  return
      [checked = jit(checkify::checkify(Function(f), errors, loc), {.name = "chexify(f)"}, loc), loc](auto&&... args) {
        // The arguments as f takes them, numbers for arrays too, which the function that is compiled no longer tells.
        auto [error, result] = std::apply([&](auto&&... a) { return checked(std::forward<decltype(a)>(a)...); },
                                          api::prepare<Function>(std::forward<decltype(args)>(args)...));
        detail::check_error(error, loc);
        return std::move(result);
      };
}
/// The same.
template <class F>
auto with_jittable_assertions(F&& f, SourceLocation loc = std::source_location::current()) {
  return chexify(std::forward<F>(f), checkify::user_checks, loc);
}

}  // namespace weft::testing
