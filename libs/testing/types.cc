#include "testing/types.h"

namespace weft::testing {

bool TypeMatcher::matches(DType t) const {
  if (const DType* one = std::get_if<DType>(&type_)) return t == *one;
  return np::issubdtype(t, std::get<np::DTypeKind>(type_));
}

std::string TypeMatcher::str() const {
  if (const DType* one = std::get_if<DType>(&type_)) return std::string(name(*one));
  static constexpr const char* kNames[] = {"generic",          "number",  "integer",  "signed integer",
                                           "unsigned integer", "inexact", "floating", "complex floating"};
  return kNames[static_cast<int>(std::get<np::DTypeKind>(type_))];
}

namespace {

void check(const char* op, const Inputs& inputs, const std::vector<TypeMatcher>& expected, bool one_for_all,
           const SourceLocation& loc) {
  if (!detail::asserts_enabled()) return;
  if (!one_for_all && expected.size() != inputs.size())
    detail::fail(op, "there must be a dtype for each array",
                 std::to_string(inputs.size()) + " arrays and " + std::to_string(expected.size()), loc);
  std::vector<std::string> wrong;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Array& x = inputs.arrays()[i];
    const TypeMatcher& e = expected[one_for_all ? 0 : i];
    if (x.defined() && e.matches(x.dtype())) continue;
    wrong.push_back((x.defined() ? x.aval().str() : "none") + (inputs.one() ? "" : " as array " + std::to_string(i)) +
                    (one_for_all ? "" : ", which must be " + e.str()));
  }
  if (wrong.empty()) return;
  const std::string must = !one_for_all   ? "each array must have its dtype"
                           : inputs.one() ? "the array's dtype must be " + expected[0].str()
                                          : "every array's dtype must be " + expected[0].str();
  detail::fail(op, must, detail::listed(wrong), loc);
}

}  // namespace

void assert_type(const Inputs& inputs, const TypeMatcher& expected, SourceLocation loc) {
  check("assert_type", inputs, {expected}, true, loc);
}
void assert_types(const Inputs& inputs, const std::vector<TypeMatcher>& expected, SourceLocation loc) {
  check("assert_types", inputs, expected, false, loc);
}

}  // namespace weft::testing
