// Making arrays, with NumPy's names. Without a dtype: f32, or what the C++ values say.
#pragma once

#include "weft/core/arg.h"

namespace weft::np {

inline constexpr double pi = 3.141592653589793;
inline constexpr double e = 2.718281828459045;
inline constexpr float inf = __builtin_inff();
inline constexpr float nan = __builtin_nanf("");

/// A shape parameter: `{2, 3}`, a number of elements, or any sequence of sizes.
class Shape {
 public:
  Shape(std::initializer_list<std::int64_t> sizes) : dims_(sizes) {}
  Shape(DimSpan sizes) : dims_(sizes) {}                                             // NOLINT
  Shape(const Dims& sizes) : dims_(sizes) {}                                         // NOLINT
  Shape(const std::vector<std::int64_t>& sizes) : dims_(sizes.begin(), sizes.end()) {}  // NOLINT
  template <class T>
    requires std::is_integral_v<T>
  Shape(T size) : dims_{static_cast<std::int64_t>(size)} {}  // NOLINT
  operator DimSpan() const { return dims_; }                  // NOLINT
  const Dims& dims() const { return dims_; }

 private:
  Dims dims_;
};

/// Numbers in braces, nested to any depth: {{1.f, 2.f}, {3.f, 4.f}}.
class Nested {
 public:
  template <class T>
    requires is_element_v<T>
  Nested(T v) : scalar_(v) {}  // NOLINT
  Nested(std::initializer_list<Nested> children) : scalar_(0), children_(children), is_list_(true) {}

 private:
  friend Array array(std::initializer_list<Nested>, std::optional<DType>);
  void collect(std::size_t depth, Dims& shape, std::vector<Scalar>& out) const;
  Scalar scalar_;
  std::vector<Nested> children_;
  bool is_list_ = false;
};

/// An array of the numbers; the dtype is the one their C++ types promote to. ShapeError when ragged.
Array array(std::initializer_list<Nested> values, std::optional<DType> dtype = {});
template <class T>
  requires is_element_v<T>
Array array(const std::vector<T>& values) {
  return Array(values);
}
template <class T>
  requires is_element_v<T>
Array array(T value) {
  return Array(value);
}
/// x itself, or converted.
Array asarray(const Arg& x, std::optional<DType> dtype = {});

Array zeros(const Shape& shape, DType dtype = f32);
Array ones(const Shape& shape, DType dtype = f32);
/// All elements `value`, of its C++ type's dtype unless given.
Array full(const Shape& shape, const Scalar& value, std::optional<DType> dtype = {});
/// Zeros: there is no uninitialised memory.
Array empty(const Shape& shape, DType dtype = f32);
Array zeros_like(const Arg& x);
Array ones_like(const Arg& x);
Array empty_like(const Arg& x);
Array full_like(const Arg& x, const Scalar& value);

/// start, start + step, ... before `stop`. The dtype is that of the C++ types.
template <class T>
  requires(is_element_v<T> && std::is_arithmetic_v<T>)
Array arange(T start, T stop, T step = T(1));
template <class T>
  requires(is_element_v<T> && std::is_arithmetic_v<T>)
Array arange(T stop) {
  return arange<T>(T(0), stop);
}
/// `num` numbers from `start` to `stop`, evenly spaced, `stop` included when `endpoint`.
Array linspace(double start, double stop, std::int64_t num = 50, bool endpoint = true, DType dtype = f32);
/// 1 where column - row = k.
Array eye(std::int64_t rows, std::optional<std::int64_t> columns = {}, int k = 0, DType dtype = f32);
Array identity(std::int64_t n, DType dtype = f32);
/// bool: row + k >= column.
Array tri(std::int64_t rows, std::optional<std::int64_t> columns = {}, int k = 0, DType dtype = f32);
/// The last two axes with zeros above (below) diagonal k.
Array tril(const Arg& x, int k = 0);
Array triu(const Arg& x, int k = 0);
/// A square matrix with x (1-d) on its diagonal; the diagonal of x (2-d).
Array diag(const Arg& x);
/// x[..., i, i] over the last two axes.
Array diagonal(const Arg& x);

namespace detail {
Array arange(DType t, double start, double step, std::int64_t n);
std::int64_t arange_count(double start, double stop, double step);
Array arange_integers(DType t, std::int64_t start, std::int64_t stop, std::int64_t step);
}  // namespace detail

template <class T>
  requires(is_element_v<T> && std::is_arithmetic_v<T>)
Array arange(T start, T stop, T step) {
  if constexpr (std::is_integral_v<T>)
    return detail::arange_integers(dtype_of<T>(), static_cast<std::int64_t>(start), static_cast<std::int64_t>(stop), static_cast<std::int64_t>(step));
  else return detail::arange(dtype_of<T>(), start, step, detail::arange_count(start, stop, step));
}

}  // namespace weft::np
