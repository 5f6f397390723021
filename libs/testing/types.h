// Assertions about dtypes, which are known while a function is traced. Source: chex.assert_type.
#pragma once

#include <variant>

#include "testing/errors.h"
#include "testing/shape_matcher.h"
#include "weft/np/dtypes.h"

namespace weft::testing {

/// What a dtype may be: one, or of a kind of NumPy's, such as np::floating.
class TypeMatcher {
 public:
  TypeMatcher(DType t) : type_(t) {}  // implicit by design, as the other
  TypeMatcher(np::DTypeKind kind) : type_(kind) {}
  bool matches(DType t) const;
  /// "f32", "floating".
  std::string str() const;

 private:
  std::variant<DType, np::DTypeKind> type_;
};

/// Every array has the dtype: assert_type(x, f32), assert_type({x, y}, np::integer).
void assert_type(const Inputs& inputs, const TypeMatcher& expected,
                 SourceLocation loc = std::source_location::current());
/// Each array has its dtype: assert_types({x, y}, {f32, np::integer}).
void assert_types(const Inputs& inputs, const std::vector<TypeMatcher>& expected,
                  SourceLocation loc = std::source_location::current());

}  // namespace weft::testing
