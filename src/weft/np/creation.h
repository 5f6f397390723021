// Making arrays, with NumPy's names. Without a dtype: f32, or what the C++ values say.
#pragma once

#include "weft/core/arg.h"
#include "weft/np/params.h"
#include "weft/np/shape_param.h"

namespace weft::np {

inline constexpr double pi = 3.141592653589793;
inline constexpr double e = 2.718281828459045;
inline constexpr float inf = __builtin_inff();
inline constexpr float nan = __builtin_nanf("");

namespace detail {

/// Numbers, or sequences of them to one depth: std::vector<float>, float[2][3], std::vector<std::vector<int>>, spans.
template <class R>
constexpr bool number_sequence() {
  if constexpr (std::is_convertible_v<const R&, std::string_view>) {
    return false;
  } else if constexpr (requires(const R& r) { std::size(r), std::begin(r), std::end(r); }) {
    using E = std::remove_cvref_t<decltype(*std::begin(std::declval<const R&>()))>;
    if constexpr (is_element_v<E>)
      return true;
    else if constexpr (!std::is_same_v<E, R>)
      return number_sequence<E>();
  }
  return false;
}
template <class R>
concept NumberSequence = number_sequence<R>();

/// The elements of a sequence one after the other, and the shape they make; bool as bytes.
template <class T>
struct Flat {
  std::vector<std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>> elements;
  Dims shape;
  bool ragged = false;

  template <class R>
  void add(const R& r, std::size_t depth) {
    const auto n = static_cast<std::int64_t>(std::size(r));
    if (depth == shape.size())
      shape.push_back(n);
    else
      ragged |= shape[depth] != n;
    for (const auto& item : r) {
      if constexpr (is_element_v<std::remove_cvref_t<decltype(item)>>)
        elements.push_back(item);
      else
        add(item, depth + 1);
    }
  }
};
template <class R>
auto innermost(const R& r) {
  if constexpr (is_element_v<R>)
    return r;
  else
    return innermost<std::remove_cvref_t<decltype(*std::begin(r))>>(*std::begin(r));
}

Array array_of(const Arg& x, std::optional<DType> dtype);
Array array_of(DType from, const Dims& shape, bool ragged, const void* data, std::size_t count,
               std::optional<DType> dtype, const SourceLocation& loc);

template <class R>
Array array_of(const R& values, std::optional<DType> dtype, const SourceLocation& loc) {
  using T = decltype(innermost(values));
  // One axis in memory as it is needs no copy beside the array's own.
  if constexpr (requires { requires is_element_v<std::remove_cvref_t<decltype(*std::data(values))>>; }) {
    const Dims shape{static_cast<std::int64_t>(std::size(values))};
    return array_of(dtype_of<T>(), shape, false, std::data(values), std::size(values), dtype, loc);
  } else {
    Flat<T> flat;
    flat.add(values, 0);
    return array_of(dtype_of<T>(), flat.shape, flat.ragged, flat.elements.data(), flat.elements.size(), dtype, loc);
  }
}

/// What array and asarray take beside numbers in braces.
template <class T>
concept ArrayOrNumber = is_element_v<T> || std::is_same_v<T, Array> || std::is_same_v<T, Arg>;

}  // namespace detail

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

// array and asarray: numbers in any form must fit `dtype` where one is given (ValueError otherwise, see Scalar::fits);
// arrays convert to it as astype does. ShapeError when rows differ in length.

/// An array of the numbers; the dtype is the one their C++ types promote to.
Array array(std::initializer_list<Nested> values, std::optional<DType> dtype = {},
            SourceLocation loc = std::source_location::current());
/// The elements of a vector, span, std::array or C array, nested to any depth, copied.
template <detail::NumberSequence R>
Array array(const R& values, std::optional<DType> dtype = {}, SourceLocation loc = std::source_location::current()) {
  return detail::array_of(values, dtype, loc);
}
/// A 0-d array of a number; x itself, or converted. Arrays do not change, so x is not copied.
template <detail::ArrayOrNumber T>
Array array(const T& x, std::optional<DType> dtype = {}, SourceLocation loc = std::source_location::current()) {
  return detail::array_of(Arg(x, loc), dtype);
}
/// The same as array.
inline Array asarray(std::initializer_list<Nested> values, std::optional<DType> dtype = {},
                     SourceLocation loc = std::source_location::current()) {
  return array(values, dtype, loc);
}
template <class T>
  requires(detail::NumberSequence<T> || detail::ArrayOrNumber<T>)
Array asarray(const T& x, std::optional<DType> dtype = {}, SourceLocation loc = std::source_location::current()) {
  return array(x, dtype, loc);
}
/// An array of its own with the elements of x, which outlives a donation of x (JitOptions::donate). Nothing is copied
/// before that.
Array copy(const Arg& x);
/// Elements converted as lax::convert does; to bool, whether they are not zero. A C++ number must fit (ValueError).
Array astype(const Arg& x, DType dtype);

Array zeros(const Shape& shape, DType dtype = f32, SourceLocation loc = std::source_location::current());
Array ones(const Shape& shape, DType dtype = f32, SourceLocation loc = std::source_location::current());
/// All elements `value`, of its dtype unless given: a number, which must fit (ValueError otherwise), or an array, also
/// a traced one, which broadcasts to the shape.
Array full(const Shape& shape, const Arg& value, std::optional<DType> dtype = {});
/// Zeros: there is no uninitialised memory.
Array empty(const Shape& shape, DType dtype = f32, SourceLocation loc = std::source_location::current());
/// Of x's shape, and of its dtype unless given.
Array zeros_like(const Arg& x, std::optional<DType> dtype = {});
Array ones_like(const Arg& x, std::optional<DType> dtype = {});
Array empty_like(const Arg& x, std::optional<DType> dtype = {});
Array full_like(const Arg& x, const Arg& value, std::optional<DType> dtype = {});

namespace detail {
Array arange_floats(DType type, std::optional<DType> dtype, double start, double stop, double step,
                    const SourceLocation& loc);
/// An integer of any type by its sign and its bits: u64 has numbers that i64 has not, and the other way round.
struct AnyInteger {
  template <class T>
  explicit AnyInteger(T v) : negative(v < T(0)), bits(static_cast<std::uint64_t>(v)) {}
  bool negative;
  std::uint64_t bits;
};
Array arange_integers(DType type, std::optional<DType> dtype, AnyInteger start, AnyInteger stop, AnyInteger step,
                      const SourceLocation& loc);
template <class T>
concept ArangeNumber = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;
}  // namespace detail

/// start, start + step, ... before `stop`: ceil((stop - start) / step) numbers of the common C++ type's
/// dtype unless given. ValueError when the step is zero, the range is not finite or has 2^63 numbers or more, or a
/// number does not fit the dtype.
template <detail::ArangeNumber A, detail::ArangeNumber B, detail::ArangeNumber C = std::common_type_t<A, B>>
Array arange(A start, B stop, C step = C(1), std::optional<DType> dtype = {},
             SourceLocation loc = std::source_location::current()) {
  using T = std::common_type_t<A, B, C>;
  if constexpr (std::is_integral_v<T>)
    return detail::arange_integers(dtype_of<T>(), dtype, detail::AnyInteger(start), detail::AnyInteger(stop),
                                   detail::AnyInteger(step), loc);
  else
    return detail::arange_floats(dtype_of<T>(), dtype, static_cast<double>(start), static_cast<double>(stop),
                                 static_cast<double>(step), loc);
}
/// 0, 1, ... before `stop`.
template <detail::ArangeNumber T>
Array arange(T stop, std::optional<DType> dtype = {}, SourceLocation loc = std::source_location::current()) {
  return arange<T, T, T>(T(0), stop, T(1), dtype, loc);
}
/// `num` numbers from `start` to `stop`, evenly spaced, `stop` included when `endpoint`. Arrays broadcast together, and
/// the numbers run along a new first axis. Without a dtype: f32 for numbers, else what the arrays promote to, as float.
/// Integer dtypes round down. ValueError for a negative `num`.
Array linspace(const Arg& start, const Arg& stop, Integer num = 50, Flag endpoint = true,
               std::optional<DType> dtype = {});
inline Array linspace(const Arg& start, const Arg& stop, Integer num, DType dtype) {
  return linspace(start, stop, num, true, dtype);
}
/// base ^ linspace(start, stop).
Array logspace(const Arg& start, const Arg& stop, Integer num = 50, Flag endpoint = true, Real base = 10,
               std::optional<DType> dtype = {});
inline Array logspace(const Arg& start, const Arg& stop, Integer num, DType dtype) {
  return logspace(start, stop, num, true, 10, dtype);
}
/// 1 where column - row = k.
Array eye(Integer rows, std::optional<Integer> columns = {}, Integer k = 0, DType dtype = f32,
          SourceLocation loc = std::source_location::current());
Array identity(Integer n, DType dtype = f32, SourceLocation loc = std::source_location::current());
/// 1 where column - row <= k.
Array tri(Integer rows, std::optional<Integer> columns = {}, Integer k = 0, DType dtype = f32,
          SourceLocation loc = std::source_location::current());
/// The last two axes with zeros above (below) diagonal k.
Array tril(const Arg& x, Integer k = 0);
Array triu(const Arg& x, Integer k = 0);
/// A square matrix with x (1-d) on its k-th diagonal and zeros elsewhere; the k-th diagonal of x (2-d).
Array diag(const Arg& x, Integer k = 0);
/// diag of the flattened array.
Array diagflat(const Arg& x, Integer k = 0);
/// out[..., i] = x[..., i, i + offset] over the axes `axis1` and `axis2`.
Array diagonal(const Arg& x, Integer offset = 0, Axis axis1 = 0, Axis axis2 = 1);

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
