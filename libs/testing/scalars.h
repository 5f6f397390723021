// Assertions about scalars: C++ numbers, and 0-d arrays. Values of arrays that a program computes are checked when it
// runs, under testing::chexify (see values.h). Source: chex.assert_scalar and its kin.
#pragma once

#include <optional>

#include "testing/errors.h"
#include "weft/core/arg.h"
#include "weft/np/params.h"

namespace weft::testing {

/// x is a number, or a 0-d array.
void assert_scalar(const Arg& x);
/// x is a real scalar and min <= x <= max, or min < x < max unless `included`. NaN is in no range.
void assert_scalar_in(const Arg& x, np::Real min, np::Real max, np::Flag included = true);
/// x is a real scalar and above, not below, and below 0.
void assert_scalar_positive(const Arg& x);
void assert_scalar_non_negative(const Arg& x);
void assert_scalar_negative(const Arg& x);

/// `denominator` divides `numerator`. ValueError when it is 0.
void assert_is_divisible(std::int64_t numerator, std::int64_t denominator,
                         SourceLocation loc = std::source_location::current());

/// Of two things that may be missing, an Array (none), std::optional or pointer each: not both are, not both are there,
/// exactly one is.
template <class T, class U>
void assert_not_both_none(const T& first, const U& second, SourceLocation loc = std::source_location::current());
template <class T, class U>
void assert_not_both_not_none(const T& first, const U& second, SourceLocation loc = std::source_location::current());
template <class T, class U>
void assert_exactly_one_is_none(const T& first, const U& second, SourceLocation loc = std::source_location::current());

namespace detail {
template <class T>
bool is_none(const T& x) {
  if constexpr (std::is_same_v<T, Array>)
    return !x.defined();
  else
    return !x;
}
/// Fails unless the number of things that are none, of two, is one of those allowed.
void check_nones(const char* op, const char* must, bool holds, bool first_none, bool second_none,
                 const SourceLocation& loc);
}  // namespace detail

template <class T, class U>
void assert_not_both_none(const T& first, const U& second, SourceLocation loc) {
  const bool a = detail::is_none(first), b = detail::is_none(second);
  detail::check_nones("assert_not_both_none", "at least one must not be none", !(a && b), a, b, loc);
}
template <class T, class U>
void assert_not_both_not_none(const T& first, const U& second, SourceLocation loc) {
  const bool a = detail::is_none(first), b = detail::is_none(second);
  detail::check_nones("assert_not_both_not_none", "at least one must be none", a || b, a, b, loc);
}
template <class T, class U>
void assert_exactly_one_is_none(const T& first, const U& second, SourceLocation loc) {
  const bool a = detail::is_none(first), b = detail::is_none(second);
  detail::check_nones("assert_exactly_one_is_none", "exactly one must be none", a != b, a, b, loc);
}

}  // namespace weft::testing
