// What assertions take: arrays, one or several, and descriptions of shapes with wildcards.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "weft/base/shape_param.h"
#include "weft/core/array.h"
#include "weft/np/indexing.h"

namespace weft::testing {

/// The arrays an assertion is about: one, several in braces or any sequence, or a number, which is 0-d.
class Inputs {
 public:
  Inputs(const Array& x) : arrays_{x}, one_(true) {}  // implicit by design, as all
  template <class T>
    requires is_element_v<T>
  Inputs(T x) : Inputs(Array(x)) {}
  Inputs(std::initializer_list<Array> xs) : arrays_(xs.begin(), xs.end()) {}
  template <class R>
    requires(std::is_convertible_v<const R&, std::span<const Array>> && !std::is_same_v<R, Array>)
  Inputs(const R& xs) : Inputs(std::span<const Array>(xs)) {}
  Inputs(std::span<const Array> xs) : arrays_(xs.begin(), xs.end()) {}

  const std::vector<Array>& arrays() const { return arrays_; }
  std::size_t size() const { return arrays_.size(); }
  /// Whether there is one array and no list.
  bool one() const { return one_; }

 private:
  std::vector<Array> arrays_;
  bool one_ = false;
};

/// What one size, or number of elements, may be: an integer, any (std::nullopt), one of several ({1, 3}), or with
/// `ellipsis`, in a shape, any number of sizes.
class DimMatcher {
 public:
  template <weft::detail::Integer T>
  DimMatcher(T size) : options_{static_cast<std::int64_t>(size)}, kind_(Kind::kSizes) {}  // implicit by design, as all
  DimMatcher(std::nullopt_t) : kind_(Kind::kAny) {}
  DimMatcher(std::optional<std::int64_t> size) : kind_(size ? Kind::kSizes : Kind::kAny) {
    if (size) options_ = {*size};
  }
  DimMatcher(Ellipsis) : kind_(Kind::kEllipsis) {}
  DimMatcher(std::initializer_list<weft::detail::Size> options) : kind_(Kind::kSizes) {
    for (const auto o : options) options_.push_back(o.value);
  }

  bool is_ellipsis() const { return kind_ == Kind::kEllipsis; }
  bool matches(std::int64_t size) const;
  /// "2", "*", "{1,3}", "...".
  std::string str() const;

 private:
  enum class Kind : std::uint8_t { kSizes, kAny, kEllipsis };
  std::vector<std::int64_t> options_;
  Kind kind_;
};

/// What a shape may be: {2, 3}, {2, std::nullopt}, {2, {1, 3}}, {2, ellipsis}, {}, or a shape.
class ShapeMatcher {
 public:
  ShapeMatcher(std::initializer_list<DimMatcher> dims) : ShapeMatcher(std::vector<DimMatcher>(dims)) {}
  /// ValueError for more than one ellipsis.
  ShapeMatcher(std::vector<DimMatcher> dims);  // implicit by design, as all
  ShapeMatcher(const Shape& shape) : dims_(shape.dims().begin(), shape.dims().end()) {}
  template <weft::detail::IntegerRange R>
  ShapeMatcher(const R& sizes) : dims_(std::begin(sizes), std::end(sizes)) {}

  bool matches(DimSpan shape) const;
  /// "[2,*,...]".
  std::string str() const;
  const std::vector<DimMatcher>& dims() const { return dims_; }

 private:
  std::vector<DimMatcher> dims_;
};

}  // namespace weft::testing
