#include "testing/shapes.h"

#include <algorithm>

#include "weft/base/text.h"
#include "weft/np/promotion.h"

namespace weft::testing {

using detail::asserts_enabled;
using detail::fail;
using detail::listed;

namespace {

std::string type_str(const Array& x) { return x.defined() ? x.aval().str() : "none"; }

std::string types_str(const Inputs& inputs) {
  std::vector<std::string> types;
  for (const Array& x : inputs.arrays()) types.push_back(type_str(x));
  return types.empty() ? "no arrays" : listed(types);
}

// matches(array) for each array and matcher; `property` is what the matcher is of: "shape".
template <class Matchers, class Matches>
void check_each(const char* op, const char* property, const Inputs& inputs, const Matchers& expected, bool one_for_all,
                const Matches& matches, const SourceLocation& loc) {
  if (!asserts_enabled()) return;
  if (!one_for_all && expected.size() != inputs.size())
    fail(op, std::string("there must be a ") + property + " for each array",
         count_str(static_cast<std::int64_t>(inputs.size()), "array", "arrays") + " and " +
             std::to_string(expected.size()),
         loc);
  std::vector<std::string> wrong;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Array& x = inputs.arrays()[i];
    const auto& e = expected[one_for_all ? 0 : i];
    if (x.defined() && matches(e, x)) continue;
    wrong.push_back(type_str(x) + (inputs.one() ? "" : " as array " + std::to_string(i)) +
                    (one_for_all ? "" : ", which must have " + e.str()));
  }
  if (wrong.empty()) return;
  const std::string must = !one_for_all   ? std::string("each array must have its ") + property
                           : inputs.one() ? std::string("the array must have ") + property + " " + expected[0].str()
                                          : std::string("every array must have ") + property + " " + expected[0].str();
  fail(op, must, listed(wrong), loc);
}

bool shape_matches(const ShapeMatcher& m, const Array& x) { return m.matches(x.shape()); }
bool rank_matches(const RankMatcher& m, const Array& x) { return m.matches(x.ndim()); }

// key(array) is the same for all.
template <class Key>
void check_equal(const char* op, const std::string& must, const Inputs& inputs, const Key& key,
                 const SourceLocation& loc) {
  if (!asserts_enabled()) return;
  const auto& xs = inputs.arrays();
  const bool none = std::any_of(xs.begin(), xs.end(), [](const Array& x) { return !x.defined(); });
  for (std::size_t i = 1; !none && i < xs.size(); ++i)
    if (key(xs[i]) != key(xs[0])) fail(op, must, types_str(inputs), loc);
  if (none) fail(op, must, types_str(inputs), loc);
}

// shape[begin:end] of Python.
std::vector<std::int64_t> sliced(DimSpan shape, std::int64_t begin, std::int64_t end) {
  const auto size = static_cast<std::int64_t>(shape.size());
  const auto at = [&](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + size : i, 0, size); };
  const std::int64_t from = at(begin), to = std::max(at(end), from);
  return {shape.begin() + from, shape.begin() + to};
}

void check_axis(const char* op, const Array& x, int axis, const std::function<bool(std::int64_t)>& passes,
                const std::string& what, const SourceLocation& loc) {
  if (!asserts_enabled()) return;
  const int n = x.defined() ? x.ndim() : 0;
  if (x.defined() && axis >= -n && axis < n && passes(x.shape(axis))) return;
  fail(op, "axis " + std::to_string(axis) + " must have " + what, type_str(x), loc);
}

}  // namespace

bool RankMatcher::matches(int rank) const {
  return std::find(options_.begin(), options_.end(), rank) != options_.end();
}
std::string RankMatcher::str() const {
  return options_.size() == 1 ? std::to_string(options_[0]) : "{" + join(options_, ",") + "}";
}

void assert_shape(const Inputs& inputs, const ShapeMatcher& expected, SourceLocation loc) {
  check_each("assert_shape", "shape", inputs, std::vector{expected}, true, shape_matches, loc);
}
void assert_shapes(const Inputs& inputs, const std::vector<ShapeMatcher>& expected, SourceLocation loc) {
  check_each("assert_shapes", "shape", inputs, expected, false, shape_matches, loc);
}
void assert_rank(const Inputs& inputs, const RankMatcher& expected, SourceLocation loc) {
  check_each("assert_rank", "rank", inputs, std::vector{expected}, true, rank_matches, loc);
}
void assert_ranks(const Inputs& inputs, const std::vector<RankMatcher>& expected, SourceLocation loc) {
  check_each("assert_ranks", "rank", inputs, expected, false, rank_matches, loc);
}
void assert_size(const Inputs& inputs, const DimMatcher& expected, SourceLocation loc) {
  check_each(
      "assert_size", "size", inputs, std::vector{expected}, true,
      [](const DimMatcher& m, const Array& x) { return m.matches(x.size()); }, loc);
}

void assert_equal_shape(const Inputs& inputs, const np::Axes& dims, SourceLocation loc) {
  const auto shape = [&](const Array& x) {
    if (dims.axes().empty()) return std::vector<std::int64_t>(x.shape().begin(), x.shape().end());
    std::vector<std::int64_t> sizes;
    for (const int d : dims.axes()) sizes.push_back(x.shape(d, loc));
    return sizes;
  };
  const std::string must = dims.axes().empty()
                               ? "arrays must have equal shapes"
                               : "arrays must have equal sizes along axes [" + join(dims.axes(), ",") + "]";
  check_equal("assert_equal_shape", must, inputs, shape, loc);
}
void assert_equal_shape_prefix(const Inputs& inputs, int n, SourceLocation loc) {
  check_equal(
      "assert_equal_shape_prefix", "shapes must agree up to axis " + std::to_string(n), inputs,
      [&](const Array& x) { return sliced(x.shape(), 0, n); }, loc);
}
void assert_equal_shape_suffix(const Inputs& inputs, int n, SourceLocation loc) {
  check_equal(
      "assert_equal_shape_suffix", "shapes must agree from axis " + std::to_string(-n), inputs,
      [&](const Array& x) { return sliced(x.shape(), -n, x.ndim()); }, loc);
}
void assert_equal_rank(const Inputs& inputs, SourceLocation loc) {
  check_equal(
      "assert_equal_rank", "arrays must have equal ranks", inputs, [](const Array& x) { return x.ndim(); }, loc);
}
void assert_equal_size(const Inputs& inputs, SourceLocation loc) {
  check_equal(
      "assert_equal_size", "arrays must have equal sizes", inputs, [](const Array& x) { return x.size(); }, loc);
}

void assert_is_broadcastable(const Shape& from, const Shape& to, SourceLocation loc) {
  if (!asserts_enabled()) return;
  const Dims &a = from.dims(), &b = to.dims();
  bool fits = a.size() <= b.size();
  for (std::size_t i = 1; fits && i <= a.size(); ++i) fits = a[a.size() - i] == 1 || a[a.size() - i] == b[b.size() - i];
  if (!fits)
    fail("assert_is_broadcastable", "the first shape must broadcast to the second",
         shape_str(a) + " and " + shape_str(b), loc);
}

void assert_axis_dimension(const Array& x, int axis, std::int64_t expected, SourceLocation loc) {
  check_axis(
      "assert_axis_dimension", x, axis, [&](std::int64_t n) { return n == expected; },
      "size " + std::to_string(expected), loc);
}
void assert_axis_dimension_gt(const Array& x, int axis, std::int64_t bound, SourceLocation loc) {
  check_axis(
      "assert_axis_dimension_gt", x, axis, [&](std::int64_t n) { return n > bound; },
      "a size greater than " + std::to_string(bound), loc);
}
void assert_axis_dimension_gteq(const Array& x, int axis, std::int64_t bound, SourceLocation loc) {
  check_axis(
      "assert_axis_dimension_gteq", x, axis, [&](std::int64_t n) { return n >= bound; },
      "a size of at least " + std::to_string(bound), loc);
}
void assert_axis_dimension_lt(const Array& x, int axis, std::int64_t bound, SourceLocation loc) {
  check_axis(
      "assert_axis_dimension_lt", x, axis, [&](std::int64_t n) { return n < bound; },
      "a size less than " + std::to_string(bound), loc);
}
void assert_axis_dimension_lteq(const Array& x, int axis, std::int64_t bound, SourceLocation loc) {
  check_axis(
      "assert_axis_dimension_lteq", x, axis, [&](std::int64_t n) { return n <= bound; },
      "a size of at most " + std::to_string(bound), loc);
}
void assert_axis_dimension_comparator(const Array& x, int axis, const std::function<bool(std::int64_t)>& passes,
                                      const std::string& what, SourceLocation loc) {
  check_axis("assert_axis_dimension_comparator", x, axis, passes, what, loc);
}

}  // namespace weft::testing
