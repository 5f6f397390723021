#include "testing/scalars.h"

#include "testing/program_checks.h"
#include "weft/base/text.h"
#include "weft/np/ufuncs.h"

namespace weft::testing {

namespace {

// x must be a real scalar with `holds(x)`, which compares arrays; `must` says so.
template <class Holds>
void check(const char* op, const Arg& x, const std::string& must, const Holds& holds) {
  if (!detail::asserts_enabled()) return;
  const bool none = !x.is_scalar() && !x.array().defined();
  if (none || !x.shape().empty() || is_complex(x.dtype()))
    detail::fail(op, "x must be a real scalar", none ? "none" : x.array().aval().str(), x.location());
  const Array a = x.array();
  detail::check_value(op, must, holds(a), "{}", {a}, x.location());
}

}  // namespace

void assert_scalar(const Arg& x) {
  if (!detail::asserts_enabled() || x.is_scalar()) return;
  const Array a = x.array();
  if (!a.defined() || a.ndim() != 0)
    detail::fail("assert_scalar", "x must be a scalar", a.defined() ? a.aval().str() : "none", x.location());
}

void assert_scalar_in(const Arg& x, np::Real min, np::Real max, np::Flag included) {
  const double lo = min, hi = max;
  const std::string range = number_str(lo) + ", " + number_str(hi);
  if (included)
    check("assert_scalar_in", x, "x must be in [" + range + "]", [&](const Array& a) {
      const Array v = a.astype(f64);
      return (v >= lo) & (v <= hi);
    });
  else
    check("assert_scalar_in", x, "x must be in (" + range + ")", [&](const Array& a) {
      const Array v = a.astype(f64);
      return (v > lo) & (v < hi);
    });
}
void assert_scalar_positive(const Arg& x) {
  check("assert_scalar_positive", x, "x must be positive", [](const Array& a) { return a > 0; });
}
void assert_scalar_non_negative(const Arg& x) {
  check("assert_scalar_non_negative", x, "x must not be negative", [](const Array& a) { return a >= 0; });
}
void assert_scalar_negative(const Arg& x) {
  check("assert_scalar_negative", x, "x must be negative", [](const Array& a) { return a < 0; });
}

void assert_is_divisible(std::int64_t numerator, std::int64_t denominator, SourceLocation loc) {
  if (!detail::asserts_enabled()) return;
  const LocationScope scope(loc, "assert_is_divisible");
  if (denominator == 0) throw ValueError("assert_is_divisible: the denominator must not be 0; got 0.");
  // -1 divides everything; the quotient of the least number by it does not fit.
  if (denominator != -1 && numerator % denominator != 0)
    detail::fail("assert_is_divisible", "the denominator must divide the numerator",
                 std::to_string(numerator) + " and " + std::to_string(denominator), loc);
}

void detail::check_nones(const char* op, const char* must, bool holds, bool first_none, bool second_none,
                         const SourceLocation& loc) {
  if (holds || !asserts_enabled()) return;
  const auto str = [](bool none) { return none ? "none" : "a value"; };
  fail(op, must, std::string(str(first_none)) + " and " + str(second_none), loc);
}

}  // namespace weft::testing
