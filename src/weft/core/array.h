// Array: the one value type of Weft. A counted handle to an immutable value, which is either a
// buffer of elements or a tracer standing for a value inside a transformation.
//
// A default-constructed Array is `none`: no value (the tangent of an integer, an absent leaf).
#pragma once

#include <atomic>
#include <complex>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weft/base/location.h"
#include "weft/base/shape_param.h"
#include "weft/core/storage.h"
#include "weft/ir/tensor.h"

namespace weft {

class Arg;
class Array;
class Index;
class IndexUpdate;
class Value;
class Tracer;
class BufferValue;

using Arrays = SmallVector<Array, 4>;

namespace detail {
void destroy_value(const Value* v);
/// Keeps its storage alive while the view is used.
struct HostView;
/// Writable elements one after the other.
template <class R>
concept ElementOutput = requires(R& r) {
  requires is_element_v<std::remove_pointer_t<decltype(std::data(r))>>;
  requires !std::is_const_v<std::remove_pointer_t<decltype(std::data(r))>>;
  std::size(r);
};
}  // namespace detail

template <class T>
class Elements;

/// The shared part of buffers and tracers.
class Value : public RefCounted {
 public:
  /// A buffer becomes a donated one (donation.h), nothing else changes.
  enum class Kind : std::uint8_t { kBuffer, kTracer, kDonated };
  Kind kind() const { return kind_.load(std::memory_order_relaxed); }
  Aval aval() const { return aval_; }
  static void destroy(const Value* v) { detail::destroy_value(v); }

 protected:
  Value(Kind kind, Aval aval) : kind_(kind), aval_(aval) {}
  ~Value() = default;
  void become(Kind kind) const { kind_.store(kind, std::memory_order_relaxed); }

 private:
  mutable std::atomic<Kind> kind_;
  Aval aval_;
};

/// A number with the dtype its C++ type stands for: bool, int, float, std::complex, ...
struct Scalar {
  DType dtype;
  // The value in the widest type of its category; integers above 2^63 keep their bits.
  union {
    std::int64_t integer;
    double real;
  };
  double imag = 0;

  template <class T>
    requires is_element_v<T>
  Scalar(T v) : dtype(dtype_of<T>()), real(0) {  // implicit by design
    if constexpr (std::is_integral_v<T>)
      integer = static_cast<std::int64_t>(v);
    else if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>) {
      real = v.real();
      imag = v.imag();
    } else
      real = static_cast<double>(v);
  }
  /// Writes the value as one element of type `t`, converting as `convert` does.
  void write(DType t, void* out) const;
  /// Whether `t` can hold the value. The one rule for C++ numbers that become elements of a given dtype, beside an
  /// array or in np::full, np::array, at().set and the like: integers hold what lies in their range after cutting the
  /// fraction (so no NaN and no infinity), real dtypes no imaginary part; floats round and bool tests, so they hold
  /// every real number.
  bool fits(DType t) const;
  /// ValueError naming `op` unless it fits; without a hint, the error says what `t` holds.
  void check_fits(std::string_view op, DType t, std::string hint = {}) const;
  std::complex<double> value() const;
};

class Array {
 public:
  Array() = default;
  Array(const Array&) = default;
  Array(Array&&) noexcept = default;
  // Only for variables: `x(0) = 1` would change a copy, so it does not compile; see at().
  Array& operator=(const Array&) & = default;
  Array& operator=(Array&&) & noexcept = default;
  ~Array() = default;
  /// A 0-d array of the C++ type's dtype: `float` is f32, `double` f64, `int` i32.
  template <class T>
    requires is_element_v<T>
  Array(T v) : Array(full({}, dtype_of<T>(), Scalar(v))) {}  // implicit by design
  /// Copies a vector to a 1-d array.
  template <class T>
    requires is_element_v<T>
  explicit Array(const std::vector<T>& v) : Array(from_vector(v, v.size())) {}

  // ---- construction (np has the rest) ----

  /// All elements equal. Costs one element of memory whatever the shape. ValueError when `dtype` cannot hold the value.
  static Array full(const Shape& shape, DType dtype, const Scalar& value);
  /// Copies `size(shape)` elements in row-major order. ShapeError when the count differs.
  template <class T, std::size_t N>
    requires is_element_v<std::remove_const_t<T>>
  static Array from_span(std::span<T, N> data, const Shape& shape,
                         SourceLocation loc = std::source_location::current()) {
    return copy(dtype_of<T>(), shape, data.data(), data.size(), loc);
  }
  template <class T>
    requires is_element_v<T>
  static Array from_vector(const std::vector<T>& data, const Shape& shape,
                           SourceLocation loc = std::source_location::current()) {
    if constexpr (std::is_same_v<T, bool>) {
      const std::vector<std::uint8_t> bytes(data.begin(), data.end());
      return copy(boolean, shape, bytes.data(), bytes.size(), loc);
    } else {
      return copy(dtype_of<T>(), shape, data.data(), data.size(), loc);
    }
  }
  /// Copies `count` elements of `dtype` from memory; `count` must be the size of `shape`.
  static Array copy(DType dtype, const Shape& shape, const void* data, std::size_t count,
                    SourceLocation loc = std::source_location::current());
  /// Uses the memory in place, without copying. It must hold the elements in row-major order, be
  /// aligned for them, and not change until `owner` is released, with the last array over it.
  static Array borrow(DType dtype, const Shape& shape, const void* data, std::shared_ptr<const void> owner,
                      SourceLocation loc = std::source_location::current());

  // ---- what it is ----

  /// False for `none`.
  bool defined() const { return static_cast<bool>(v_); }
  /// Whether its memory was given away to a call (JitOptions::donate). It then has a type, but reading it is a
  /// DonatedError.
  bool is_donated() const { return v_ && v_->kind() == Value::Kind::kDonated; }
  /// The type. ValueError for `none`, here and below.
  Aval aval(SourceLocation loc = std::source_location::current()) const { return checked(loc, "aval"); }
  DType dtype(SourceLocation loc = std::source_location::current()) const { return checked(loc, "dtype").dtype(); }
  /// Prints as "(2, 3)", and compares with a shape in braces: x.shape() == Shape{2, 3}.
  ShapeView shape(SourceLocation loc = std::source_location::current()) const { return checked(loc, "shape").shape(); }
  /// The size of axis `i`; negative axes count from the end. IndexError when out of range.
  std::int64_t shape(int i, SourceLocation loc = std::source_location::current()) const;
  int ndim(SourceLocation loc = std::source_location::current()) const { return checked(loc, "ndim").ndim(); }
  std::int64_t size(SourceLocation loc = std::source_location::current()) const { return checked(loc, "size").size(); }
  std::int64_t nbytes(SourceLocation loc = std::source_location::current()) const {
    return checked(loc, "nbytes").bytes();
  }
  /// The device that holds the elements: "cpu:0".
  std::string device(SourceLocation loc = std::source_location::current()) const;

  // ---- elements (ConcretizationError when only traced) ----

  /// The only element, converted to T as lax::convert does: a float's fraction is cut, what is beyond an integer's
  /// range becomes the nearest one in it and NaN 0, a wider integer keeps its lowest bits, anything but 0 is true.
  /// ShapeError unless size() == 1; DTypeError when a complex number would have to be real.
  template <class T>
    requires is_element_v<T>
  T item(SourceLocation loc = std::source_location::current()) const;
  /// All elements in row-major order. T must be the C++ type of dtype(); DTypeError otherwise.
  template <class T>
    requires is_element_v<T>
  std::vector<T> to_vector(SourceLocation loc = std::source_location::current()) const;
  /// Copies all elements in row-major order to `out`, a span, vector, std::array or C array, which must have size()
  /// elements of the C++ type of dtype(). ShapeError and DTypeError otherwise.
  template <class Out>
    requires detail::ElementOutput<Out>
  void copy_to(Out&& out, SourceLocation loc = std::source_location::current()) const {
    copy_elements(dtype_of<std::remove_pointer_t<decltype(std::data(out))>>(), std::data(out), std::size(out),
                  "copy_to", loc);
  }
  /// The elements where they are, in row-major order, without a copy if they are stored so (they are, unless
  /// broadcast). T must be the C++ type of dtype(); DTypeError otherwise.
  template <class T>
    requires is_element_v<T>
  Elements<T> elements(SourceLocation loc = std::source_location::current()) const;
  /// The truth of a one-element array. Inside `jit` the value is not known: ConcretizationError.
  explicit operator bool() const;

  // ---- new arrays (defined in np/array_methods.cc and np/indexing.h) ----

  /// Elements converted to `dtype`, see lax::convert.
  Array astype(DType dtype, SourceLocation loc = std::source_location::current()) const;
  /// NumPy indexing with integers, slice(), newaxis, ellipsis, integer and boolean arrays.
  Array operator()(const Index& i0) const;
  Array operator()(const Index& i0, const Index& i1) const;
  Array operator()(const Index& i0, const Index& i1, const Index& i2) const;
  Array operator()(const Index& i0, const Index& i1, const Index& i2, const Index& i3) const;
  Array operator()(const Index& i0, const Index& i1, const Index& i2, const Index& i3, const Index& i4) const;
  Array operator()(const Index& i0, const Index& i1, const Index& i2, const Index& i3, const Index& i4,
                   const Index& i5) const;
  /// The same for a list made at run time: std::vector<Index>, a span, an array.
  template <class List>
    requires std::is_convertible_v<const List&, std::span<const Index>>
  Array operator()(const List& indices) const;
  /// x.at(i, j).set(v) is a copy of x in which the indexed elements are v.
  IndexUpdate at(const Index& i0) const;
  IndexUpdate at(const Index& i0, const Index& i1) const;
  IndexUpdate at(const Index& i0, const Index& i1, const Index& i2) const;
  IndexUpdate at(const Index& i0, const Index& i1, const Index& i2, const Index& i3) const;
  IndexUpdate at(const Index& i0, const Index& i1, const Index& i2, const Index& i3, const Index& i4) const;
  IndexUpdate at(const Index& i0, const Index& i1, const Index& i2, const Index& i3, const Index& i4,
                 const Index& i5) const;
  template <class List>
    requires std::is_convertible_v<const List&, std::span<const Index>>
  IndexUpdate at(const List& indices) const;
  /// Axes reversed.
  Array T(SourceLocation loc = std::source_location::current()) const;

  /// Elements as NumPy prints them; a tracer prints its type and trace.
  std::string str() const;
  /// "Array([1., 2.], dtype=float32)".
  std::string repr() const;

  // ---- NumPy's operators, elementwise with broadcasting and promotion (defined in np/operators.cc) ----

  friend Array operator+(const Arg& x, const Arg& y);
  friend Array operator-(const Arg& x, const Arg& y);
  friend Array operator*(const Arg& x, const Arg& y);
  friend Array operator/(const Arg& x, const Arg& y);
  friend Array operator%(const Arg& x, const Arg& y);
  friend Array operator&(const Arg& x, const Arg& y);
  friend Array operator|(const Arg& x, const Arg& y);
  friend Array operator^(const Arg& x, const Arg& y);
  friend Array operator<<(const Arg& x, const Arg& y);
  friend Array operator>>(const Arg& x, const Arg& y);
  friend Array operator==(const Arg& x, const Arg& y);
  friend Array operator!=(const Arg& x, const Arg& y);
  friend Array operator<(const Arg& x, const Arg& y);
  friend Array operator<=(const Arg& x, const Arg& y);
  friend Array operator>(const Arg& x, const Arg& y);
  friend Array operator>=(const Arg& x, const Arg& y);
  friend Array operator-(const Arg& x);
  friend Array operator~(const Arg& x);
  // Not an Arg, beside which the conversion to bool would be as good a match; so it records no line.
  friend Array operator!(const Array& x);
  // x keeps its shape and dtype, rounded as NumPy's same_kind casting allows (f32 += f64); DTypeError and ShapeError
  // otherwise (i32 += f32).
  friend Array& operator+=(Array& x, const Arg& y);
  friend Array& operator-=(Array& x, const Arg& y);
  friend Array& operator*=(Array& x, const Arg& y);
  friend Array& operator/=(Array& x, const Arg& y);
  friend Array& operator%=(Array& x, const Arg& y);
  friend Array& operator&=(Array& x, const Arg& y);
  friend Array& operator|=(Array& x, const Arg& y);
  friend Array& operator^=(Array& x, const Arg& y);

  // ---- for the layers above ----

  /// Whether item(), to_vector() and the like can read the elements now.
  bool known() const;
  bool is_tracer() const { return v_ && v_->kind() == Value::Kind::kTracer; }
  inline const Tracer* tracer() const;       // null unless is_tracer()
  inline const BufferValue* buffer() const;  // null unless a buffer
  /// Same value object; `none` is identical to `none` only.
  bool identical(const Array& o) const { return v_ == o.v_; }
  const Value* id() const { return v_.get(); }
  explicit Array(Ref<const Value> v) : v_(std::move(v)) {}
  /// Dense host elements, of the primal value when inside jvp or grad.
  detail::HostView host(const char* what, const SourceLocation& loc = SourceLocation()) const;
  /// The same without writing repeated axes out: the view has size 1 along them.
  detail::HostView host_stored(const char* what, const SourceLocation& loc = SourceLocation()) const;
  const Ref<const Value>& ref() const { return v_; }

 private:
  friend class Arg;
  [[noreturn]] static void throw_none(const SourceLocation& loc, const char* what);
  Aval checked(const SourceLocation& loc, const char* what) const {
    if (!v_) [[unlikely]]
      throw_none(loc, what);
    return v_->aval();
  }
  void copy_elements(DType t, void* out, std::size_t count, const char* what, const SourceLocation& loc) const;
  detail::HostView host_elements(DType t, const char* what, const SourceLocation& loc) const;
  void read_item(DType t, void* out, const SourceLocation& loc) const;

  Ref<const Value> v_;
};

std::ostream& operator<<(std::ostream& out, const Array& x);

/// A buffer: dense row-major over the axes that are not `repeated`. Bit i of `repeated` says that
/// the value is the same all along axis i, so those axes take no memory (broadcasts, constants).
class BufferValue final : public Value {
 public:
  BufferValue(Aval aval, Ref<Storage> storage, std::uint32_t repeated = 0)
      : Value(Kind::kBuffer, aval), storage_(std::move(storage)), repeated_(repeated) {}
  const void* data() const { return storage_->data(); }
  const Ref<Storage>& storage() const { return storage_; }
  std::uint32_t repeated() const { return repeated_; }
  bool dense() const { return repeated_ == 0; }
  /// What is in memory: size 1 along the axes that repeat.
  Aval stored_aval() const;
  /// Takes the memory and leaves `note` there, which throw_donated reads; `give_back` undoes it. See donation.h.
  Ref<Storage> take(Ref<Storage> note) const {
    become(Kind::kDonated);
    return std::exchange(storage_, std::move(note));
  }
  void give_back(Ref<Storage> storage) const {
    storage_ = std::move(storage);
    become(Kind::kBuffer);
  }
  /// One element stands for all.
  bool splat() const { return repeated_ == all_axes(aval().ndim()) && aval().size() > 0; }
  static std::uint32_t all_axes(int ndim) { return ndim >= 32 ? ~0u : (1u << ndim) - 1u; }

 private:
  mutable Ref<Storage> storage_;
  std::uint32_t repeated_;
};

namespace detail {
struct HostView {
  Ref<Storage> storage;
  TensorView view;
};
/// A new dense buffer with the elements of `b`.
Ref<const BufferValue> materialize(const BufferValue& b);
/// A buffer with uninitialised memory from the default evaluator, and its data pointer.
Ref<BufferValue> new_buffer(Aval aval);
Array make_splat(Aval aval, const void* element);
/// An array of its own with the same memory.
Array same_memory(const BufferValue& b);
/// An array with a copy of the elements of `a`, which is concrete, in memory of its own; dense, whatever `a` repeats.
Array own_copy(const Array& a);
}  // namespace detail

/// The elements of an array, read only, in row-major order. Keeps the memory alive by itself; a span made from it does
/// not. Nothing ever writes to the memory while it lives.
template <class T>
class Elements {
 public:
  using value_type = T;
  const T* data() const { return data_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  const T& operator[](std::size_t i) const { return data_[i]; }

 private:
  friend class Array;
  Elements(Ref<Storage> storage, const void* data, std::int64_t size)
      : storage_(std::move(storage)), data_(static_cast<const T*>(data)), size_(static_cast<std::size_t>(size)) {}
  Ref<Storage> storage_;
  const T* data_;
  std::size_t size_;
};

// ---- inline definitions ----

inline const BufferValue* Array::buffer() const {
  return v_ && v_->kind() == Value::Kind::kBuffer ? static_cast<const BufferValue*>(v_.get()) : nullptr;
}

template <class T>
  requires is_element_v<T>
T Array::item(SourceLocation loc) const {
  T v;
  read_item(dtype_of<T>(), &v, loc);
  return v;
}

template <class T>
  requires is_element_v<T>
Elements<T> Array::elements(SourceLocation loc) const {
  const detail::HostView h = host_elements(dtype_of<T>(), "elements", loc);
  return Elements<T>(h.storage, h.view.data, h.view.size());
}

template <class T>
  requires is_element_v<T>
std::vector<T> Array::to_vector(SourceLocation loc) const {
  const LocationScope scope(loc, "to_vector");
  if constexpr (std::is_same_v<T, bool>) {
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size()));
    copy_elements(boolean, bytes.data(), bytes.size(), "to_vector", loc);
    return std::vector<bool>(bytes.begin(), bytes.end());
  } else {
    std::vector<T> out(static_cast<std::size_t>(size()));
    copy_elements(dtype_of<T>(), out.data(), out.size(), "to_vector", loc);
    return out;
  }
}

}  // namespace weft
