// AssertionError, which docs/testing/errors.md explains, and the switch that turns all assertions of this library off.
#pragma once

#include "weft/base/error.h"

namespace weft::testing {

/// Something that a test or program says does not hold: "<assertion>: <what must hold>; got <values>."
class AssertionError : public Error {
 public:
  explicit AssertionError(std::string message, std::string hint = {})
      : Error("testing::AssertionError", std::move(message), std::move(hint)) {}
};

/// Until enable_asserts, the functions assert_... and check_grads check nothing, in the whole process. Source:
/// chex.disable_asserts.
void disable_asserts();
void enable_asserts();

namespace detail {

bool asserts_enabled();
/// AssertionError "<op>: <must>; got <got>.", at `loc`.
[[noreturn]] void fail(std::string_view op, const std::string& must, const std::string& got, const SourceLocation& loc,
                       std::string hint = {});
/// The error as an AssertionError, at the same place and with the same notes.
[[noreturn]] void rethrow_as_assertion(const Error& e);
/// "a, b and c", of at most five, and how many more there are.
std::string listed(const std::vector<std::string>& items);

}  // namespace detail
}  // namespace weft::testing
