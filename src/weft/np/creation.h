// Making arrays, with NumPy's names. Without a dtype: f32, or what the C++ values say.
#pragma once

#include "weft/core/arg.h"
#include "weft/np/shape_param.h"

namespace weft::np {

inline constexpr double pi = 3.141592653589793;
inline constexpr double e = 2.718281828459045;
inline constexpr float inf = __builtin_inff();
inline constexpr float nan = __builtin_nanf("");

/// Numbers in braces, nested to any depth: {{1.f, 2.f}, {3.f, 4.f}}.
class Nested {
 public:
  template <class T>
    requires is_element_v<T>
  Nested(T v) : scalar_(v) {}
  Nested(std::initializer_list<Nested> children) : scalar_(0), children_(children), is_list_(true) {}

 private:
  friend Array array(std::initializer_list<Nested>, std::optional<DType>, SourceLocation);
  void collect(std::size_t depth, Dims& shape, std::vector<Scalar>& out) const;
  Scalar scalar_;
  std::vector<Nested> children_;
  bool is_list_ = false;
};

/// An array of the numbers; the dtype is the one their C++ types promote to. ShapeError when ragged.
Array array(std::initializer_list<Nested> values, std::optional<DType> dtype = {},
            SourceLocation loc = std::source_location::current());
/// 1-d, copied.
template <class T>
  requires is_element_v<T>
Array array(const std::vector<T>& values) {
  return Array(values);
}
template <class T>
  requires is_element_v<std::remove_const_t<T>>
Array array(std::span<T> values) {
  return Array::from_span<std::remove_const_t<T>>(values, Dims{static_cast<std::int64_t>(values.size())});
}
template <class T>
  requires is_element_v<T>
Array array(T value) {
  return Array(value);
}
/// x itself, or converted. Arrays do not change, so neither copies. Also np.copy, np.astype.
Array asarray(const Arg& x, std::optional<DType> dtype = {});
inline Array copy(const Arg& x) { return x.array(); }
inline Array astype(const Arg& x, DType dtype) { return asarray(x, dtype); }

Array zeros(const Shape& shape, DType dtype = f32, SourceLocation loc = std::source_location::current());
Array ones(const Shape& shape, DType dtype = f32, SourceLocation loc = std::source_location::current());
/// All elements `value`, of its C++ type's dtype unless given.
Array full(const Shape& shape, const Scalar& value, std::optional<DType> dtype = {},
           SourceLocation loc = std::source_location::current());
/// Zeros: there is no uninitialised memory.
Array empty(const Shape& shape, DType dtype = f32, SourceLocation loc = std::source_location::current());
/// Of x's shape, and of its dtype unless given.
Array zeros_like(const Arg& x, std::optional<DType> dtype = {});
Array ones_like(const Arg& x, std::optional<DType> dtype = {});
Array empty_like(const Arg& x, std::optional<DType> dtype = {});
Array full_like(const Arg& x, const Scalar& value, std::optional<DType> dtype = {});

namespace detail {
Array arange_floats(DType type, std::optional<DType> dtype, double start, double stop, double step,
                    const SourceLocation& loc);
Array arange_integers(DType type, std::optional<DType> dtype, std::int64_t start, std::int64_t stop, std::int64_t step,
                      const SourceLocation& loc);
template <class T>
concept ArangeNumber = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;
}  // namespace detail

/// start, start + step, ... before `stop`: ceil((stop - start) / step) numbers of the common C++ type's
/// dtype unless given. ValueError when the step is zero or the range is not finite.
template <detail::ArangeNumber A, detail::ArangeNumber B, detail::ArangeNumber C = std::common_type_t<A, B>>
Array arange(A start, B stop, C step = C(1), std::optional<DType> dtype = {},
             SourceLocation loc = std::source_location::current()) {
  using T = std::common_type_t<A, B, C>;
  if constexpr (std::is_integral_v<T>)
    return detail::arange_integers(dtype_of<T>(), dtype, static_cast<std::int64_t>(start),
                                   static_cast<std::int64_t>(stop), static_cast<std::int64_t>(step), loc);
  else
    return detail::arange_floats(dtype_of<T>(), dtype, static_cast<double>(start), static_cast<double>(stop),
                                 static_cast<double>(step), loc);
}
/// 0, 1, ... before `stop`.
template <detail::ArangeNumber T>
Array arange(T stop, std::optional<DType> dtype = {}, SourceLocation loc = std::source_location::current()) {
  return arange<T, T, T>(T(0), stop, T(1), dtype, loc);
}
/// `num` numbers from `start` to `stop`, evenly spaced, `stop` included when `endpoint`. Integer dtypes round down.
Array linspace(double start, double stop, std::int64_t num = 50, bool endpoint = true, DType dtype = f32,
               SourceLocation loc = std::source_location::current());
/// base ^ linspace(start, stop).
Array logspace(double start, double stop, std::int64_t num = 50, bool endpoint = true, double base = 10,
               DType dtype = f32, SourceLocation loc = std::source_location::current());
/// 1 where column - row = k.
Array eye(std::int64_t rows, std::optional<std::int64_t> columns = {}, std::int64_t k = 0, DType dtype = f32,
          SourceLocation loc = std::source_location::current());
Array identity(std::int64_t n, DType dtype = f32, SourceLocation loc = std::source_location::current());
/// 1 where column - row <= k.
Array tri(std::int64_t rows, std::optional<std::int64_t> columns = {}, std::int64_t k = 0, DType dtype = f32,
          SourceLocation loc = std::source_location::current());
/// The last two axes with zeros above (below) diagonal k.
Array tril(const Arg& x, std::int64_t k = 0);
Array triu(const Arg& x, std::int64_t k = 0);
/// A square matrix with x (1-d) on its k-th diagonal and zeros elsewhere; the k-th diagonal of x (2-d).
Array diag(const Arg& x, std::int64_t k = 0);
/// diag of the flattened array.
Array diagflat(const Arg& x, std::int64_t k = 0);
/// out[..., i] = x[..., i, i + offset] over the axes `axis1` and `axis2`.
Array diagonal(const Arg& x, std::int64_t offset = 0, int axis1 = 0, int axis2 = 1);

/// Coordinate grids of 1-d arrays: out[k] has xs[k] along its own axis and repeats it along the others.
/// Indexing "xy" swaps the first two axes, "ij" does not; ValueError for others.
std::vector<Array> meshgrid(std::span<const Array> xs, std::string_view indexing = "xy",
                            SourceLocation loc = std::source_location::current());
inline std::vector<Array> meshgrid(std::initializer_list<Array> xs, std::string_view indexing = "xy",
                                   SourceLocation loc = std::source_location::current()) {
  return meshgrid(std::span<const Array>(xs.begin(), xs.size()), indexing, loc);
}
/// out[k, i...] = i_k.
Array indices(const Shape& shape, DType dtype = i32, SourceLocation loc = std::source_location::current());

}  // namespace weft::np
