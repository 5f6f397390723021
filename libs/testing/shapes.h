// Assertions about shapes, ranks and sizes. Shapes are known while a function is traced, so these work inside of jit,
// vmap and grad as anywhere. Source: chex.assert_shape and its kin.
#pragma once

#include <functional>

#include "testing/errors.h"
#include "testing/shape_matcher.h"
#include "weft/np/params.h"

namespace weft::testing {

/// What a rank may be: 2, or one of {0, 2}.
class RankMatcher {
 public:
  RankMatcher(int rank) : options_{rank} {}  // implicit by design
  RankMatcher(std::initializer_list<int> options) : options_(options) {}
  bool matches(int rank) const;
  /// "2", "{0,2}".
  std::string str() const;

 private:
  std::vector<int> options_;
};

/// Every array has the shape.
///   assert_shape(x, {2, 3});                assert_shape(x, {});                  // a scalar
///   assert_shape(x, {2, {1, 3}});           assert_shape(x, {2, std::nullopt});
///   assert_shape(x, {2, ellipsis});         assert_shape({x, y}, {ellipsis, 3});
void assert_shape(const Inputs& inputs, const ShapeMatcher& expected,
                  SourceLocation loc = std::source_location::current());
/// Each array has its shape: assert_shapes({x, y}, {{}, {2, 3}}).
void assert_shapes(const Inputs& inputs, const std::vector<ShapeMatcher>& expected,
                   SourceLocation loc = std::source_location::current());
/// Every array has the number of axes: assert_rank(x, 2), assert_rank({x, y}, {0, 2}).
void assert_rank(const Inputs& inputs, const RankMatcher& expected,
                 SourceLocation loc = std::source_location::current());
/// Each array has its number of axes.
void assert_ranks(const Inputs& inputs, const std::vector<RankMatcher>& expected,
                  SourceLocation loc = std::source_location::current());
/// Every array has the number of elements.
void assert_size(const Inputs& inputs, const DimMatcher& expected,
                 SourceLocation loc = std::source_location::current());

/// All arrays have one shape, or along the axes `dims` the same sizes. IndexError for an axis that one has not.
void assert_equal_shape(const Inputs& inputs, const np::Axes& dims = {},
                        SourceLocation loc = std::source_location::current());
/// The shapes agree in their first `n` sizes, as shape[:n] of Python: -1 leaves the last out.
void assert_equal_shape_prefix(const Inputs& inputs, int n, SourceLocation loc = std::source_location::current());
/// The shapes agree in their last `n` sizes, as shape[-n:] of Python: -1 leaves the first out.
void assert_equal_shape_suffix(const Inputs& inputs, int n, SourceLocation loc = std::source_location::current());
/// All arrays have one number of axes, or of elements.
void assert_equal_rank(const Inputs& inputs, SourceLocation loc = std::source_location::current());
void assert_equal_size(const Inputs& inputs, SourceLocation loc = std::source_location::current());

/// An array of shape `from` broadcasts to shape `to`.
void assert_is_broadcastable(const Shape& from, const Shape& to, SourceLocation loc = std::source_location::current());

/// The axis (from the end when negative) exists and has the size, or one that is greater, ...
void assert_axis_dimension(const Array& x, int axis, std::int64_t expected,
                           SourceLocation loc = std::source_location::current());
void assert_axis_dimension_gt(const Array& x, int axis, std::int64_t bound,
                              SourceLocation loc = std::source_location::current());
void assert_axis_dimension_gteq(const Array& x, int axis, std::int64_t bound,
                                SourceLocation loc = std::source_location::current());
void assert_axis_dimension_lt(const Array& x, int axis, std::int64_t bound,
                              SourceLocation loc = std::source_location::current());
void assert_axis_dimension_lteq(const Array& x, int axis, std::int64_t bound,
                                SourceLocation loc = std::source_location::current());
/// The axis exists and `passes(size)`; otherwise the text says that it must have `what`, "an even size".
void assert_axis_dimension_comparator(const Array& x, int axis, const std::function<bool(std::int64_t)>& passes,
                                      const std::string& what, SourceLocation loc = std::source_location::current());

}  // namespace weft::testing
