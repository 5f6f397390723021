#include "weft/core/array.h"

#include <cmath>
#include <cstring>

#include "weft/base/text.h"
#include "weft/core/concretization.h"
#include "weft/core/donation.h"
#include "weft/core/evaluator.h"
#include "weft/core/trace.h"
#include "weft/ir/elements.h"
#include "weft/ir/jaxpr.h"

namespace weft {

namespace {

class ExternalStorage final : public Storage {
 public:
  ExternalStorage(void* data, std::size_t bytes, std::function<void()> release)
      : Storage(
            data, bytes, [](Storage* s) { delete static_cast<ExternalStorage*>(s); }, /*writable=*/false),
        release_(std::move(release)) {}
  ~ExternalStorage() {
    if (release_) release_();
  }

 private:
  std::function<void()> release_;
};

// The buffer behind `a`, looking through jvp and grad, which keep primal values at hand.
const BufferValue& concrete(const Array& a, const char* what, ElementUse use = ElementUse::kElements) {
  if (!a.defined())
    throw ValueError(std::string(what) + ": the array must hold a value; got none (a default-constructed Array).");
  if (const Tracer* t = unknown_tracer(a, what)) throw_unknown(*t, what, use);
  const Array* p = &a;
  while (const Tracer* t = p->tracer()) p = &t->primal();
  if (p->is_donated()) detail::throw_donated(what, "the array", *p);
  return *p->buffer();
}

template <std::size_t kSize>
void expand(const BufferValue& b, char* out) {
  // Walks the output in order; each axis either advances the source or repeats it.
  const DimSpan shape = b.aval().shape();
  Dims strides = row_major_strides(b.stored_aval().shape());
  for (std::size_t i = 0; i < strides.size(); ++i)
    if (b.repeated() >> i & 1u) strides[i] = 0;
  const std::int64_t n = b.aval().size();
  const int rank = b.aval().ndim();
  const char* src = static_cast<const char*>(b.data());
  const std::int64_t inner = rank ? shape[static_cast<std::size_t>(rank - 1)] : 1;
  const std::int64_t step = rank ? strides[static_cast<std::size_t>(rank - 1)] : 0;
  Dims at(static_cast<std::size_t>(rank), 0);
  for (std::int64_t done = 0; done < n; done += inner) {
    std::int64_t offset = 0;
    for (std::size_t i = 0; i + 1 < at.size(); ++i) offset += at[i] * strides[i];
    for (std::int64_t j = 0; j < inner; ++j)
      std::memcpy(out + (done + j) * static_cast<std::int64_t>(kSize),
                  src + (offset + j * step) * static_cast<std::int64_t>(kSize), kSize);
    for (std::size_t i = at.size() >= 2 ? at.size() - 1 : 0; i-- > 0;) {
      if (++at[i] < shape[i]) break;
      at[i] = 0;
    }
  }
}

}  // namespace

Ref<Storage> Storage::external(void* data, std::size_t bytes, std::function<void()> release) {
  return Ref<Storage>::adopt(new ExternalStorage(data, bytes, std::move(release)));
}

Aval BufferValue::stored_aval() const {
  if (dense()) return aval();
  Dims stored(aval().shape());
  for (std::size_t i = 0; i < stored.size(); ++i)
    if (repeated_ >> i & 1u) stored[i] = 1;
  return aval().with_shape(stored);
}

namespace detail {

void destroy_value(const Value* v) {
  if (v->kind() == Value::Kind::kTracer)
    delete static_cast<const Tracer*>(v);
  else
    delete static_cast<const BufferValue*>(v);
}

Ref<BufferValue> new_buffer(Aval aval) {
  return Ref<BufferValue>::adopt(
      new BufferValue(aval, default_evaluator().allocate(static_cast<std::size_t>(aval.bytes()))));
}

Array make_splat(Aval aval, const void* element) {
  const auto size = static_cast<std::size_t>(byte_size(aval.dtype()));
  Ref<Storage> storage = default_evaluator().allocate(size);
  std::memcpy(storage->data(), element, size);
  return Array(Ref<const Value>::adopt(new BufferValue(aval, std::move(storage), BufferValue::all_axes(aval.ndim()))));
}

Array same_memory(const BufferValue& b) {
  return Array(Ref<const Value>::adopt(new BufferValue(b.aval(), b.storage(), b.repeated())));
}

Array own_copy(const Array& a) {
  const BufferValue& b = *a.buffer();
  if (!b.dense()) return Array(Ref<const Value>(materialize(b)));
  Ref<BufferValue> copy = new_buffer(b.aval());
  if (b.aval().bytes() > 0) std::memcpy(copy->storage()->data(), b.data(), static_cast<std::size_t>(b.aval().bytes()));
  return Array(Ref<const Value>(std::move(copy)));
}

Ref<const BufferValue> materialize(const BufferValue& b) {
  if (b.dense()) return Ref<const BufferValue>::share(&b);
  Ref<BufferValue> out = new_buffer(b.aval());
  char* p = static_cast<char*>(out->storage()->data());
  switch (byte_size(b.aval().dtype())) {
    case 1: expand<1>(b, p); break;
    case 2: expand<2>(b, p); break;
    case 4: expand<4>(b, p); break;
    case 8: expand<8>(b, p); break;
    default: expand<16>(b, p); break;
  }
  return out;
}

}  // namespace detail

void Scalar::write(DType t, void* out) const {
  switch (category(dtype)) {
    case Category::kBool:
    case Category::kInteger: return convert_elements(dtype == u64 ? u64 : i64, &integer, t, out, 1);
    case Category::kFloat: return convert_elements(f64, &real, t, out, 1);
    default: break;
  }
  // Whether it is zero, of which the conversion of elements asks the real part alone.
  if (t == boolean) return Scalar(real != 0 || imag != 0).write(t, out);
  const std::complex<double> v(real, imag);
  convert_elements(c128, &v, t, out, 1);
}

std::complex<double> Scalar::value() const {
  if (category(dtype) <= Category::kInteger)
    return dtype == u64 ? static_cast<double>(static_cast<std::uint64_t>(integer)) : static_cast<double>(integer);
  return {real, imag};
}

namespace {

// Bounds of an integer dtype; the largest u64 is known to the callers.
std::int64_t lowest(DType t) { return is_unsigned(t) ? 0 : -(std::int64_t{1} << (bit_width(t) - 2)) * 2; }
std::uint64_t highest(DType t) { return ~std::uint64_t{0} >> (64 - bit_width(t) + !is_unsigned(t)); }

}  // namespace

bool Scalar::fits(DType t) const {
  if (dtype == t || t == boolean || is_complex(t)) return true;
  if (is_complex(dtype) && imag != 0) return false;
  if (!is_integer(t)) return true;
  if (is_inexact(dtype)) {
    // Both bounds are exact: one below the range, and the power of two above it.
    const double above = std::ldexp(1.0, bit_width(t) - !is_unsigned(t));
    const double whole = std::trunc(real);
    return whole >= (is_unsigned(t) ? 0.0 : -above) && whole < above;
  }
  if (dtype == u64 || integer >= 0) return static_cast<std::uint64_t>(integer) <= highest(t);
  return integer >= lowest(t);
}

void Scalar::check_fits(std::string_view op, DType t, std::string hint) const {
  if (fits(t)) [[likely]]
    return;
  const std::string got = is_complex(dtype)   ? number_str(real) + (imag < 0 ? "" : "+") + number_str(imag) + "j"
                          : is_inexact(dtype) ? number_str(real)
                          : dtype == u64      ? std::to_string(static_cast<std::uint64_t>(integer))
                                              : std::to_string(integer);
  if (hint.empty())
    hint = is_integer(t) ? std::string(name(t)) + " holds " + std::to_string(lowest(t)) + " to " +
                               std::to_string(highest(t)) + "; convert an array with astype to wrap or saturate."
                         : std::string(name(t)) + " holds real numbers.";
  throw ValueError(std::string(op) + ": a number must fit the dtype that it takes; got " + got + " for " +
                       std::string(name(t)) + ".",
                   std::move(hint));
}

Array Array::full(const Shape& shape, DType dtype, const Scalar& value) {
  value.check_fits("full", dtype);
  alignas(16) std::byte element[16];
  value.write(dtype, element);
  return detail::make_splat(Aval(dtype, shape), element);
}

Array Array::copy(DType dtype, const Shape& shape, const void* data, std::size_t count, SourceLocation loc) {
  const LocationScope scope(loc, "array");
  const Aval aval(dtype, shape);
  if (static_cast<std::size_t>(aval.size()) != count)
    throw ShapeError("array: the number of elements must be that of the shape; got " + std::to_string(count) +
                     " elements for shape " + shape_str(shape) + ".");
  if (count && !data)
    throw ValueError("array: the memory must not be null; got a null pointer for " + aval.str() + ".");
  Ref<BufferValue> b = detail::new_buffer(aval);
  copy_canonical(dtype, data, b->storage()->data(), aval.size());
  return Array(Ref<const Value>(std::move(b)));
}

Array Array::borrow(DType dtype, const Shape& shape, const void* data, std::shared_ptr<const void> owner,
                    SourceLocation loc) {
  const LocationScope scope(loc, "borrow");
  const Aval aval(dtype, shape);
  if (aval.size() > 0 && !data)
    throw ValueError("borrow: the memory must not be null; got a null pointer for " + aval.str() + ".");
  // Elements of fewer bits than a byte must be in canonical form, which memory from outside need not be.
  if (bit_width(dtype) < 8 && dtype != boolean)
    return copy(dtype, shape, data, static_cast<std::size_t>(aval.size()), loc);
  const auto align = static_cast<std::uintptr_t>(std::min<std::int64_t>(byte_size(dtype), 8));
  if (reinterpret_cast<std::uintptr_t>(data) % align != 0)
    throw ValueError("borrow: the memory must be aligned for " + std::string(name(dtype)) +
                     "; got an address that is not a multiple of " + std::to_string(align) + ".");
  return Array(Ref<const Value>::adopt(
      new BufferValue(aval, Storage::external(const_cast<void*>(data), static_cast<std::size_t>(aval.bytes()),
                                              [owner = std::move(owner)] {}))));
}

void Array::throw_none(const SourceLocation& loc, const char* what) {
  const LocationScope scope(loc, what);
  throw ValueError(std::string(what) + ": the array must hold a value; got none (a default-constructed Array).");
}

bool Array::known() const {
  const Array* p = this;
  while (const Tracer* t = p->tracer()) {
    if (!t->primal().defined() || t->trace()->kind() == Trace::Kind::kBatch) return false;
    p = &t->primal();
  }
  return defined() && !p->is_donated();
}

std::int64_t Array::shape(int i, SourceLocation loc) const {
  const Aval type = checked(loc, "shape");
  const int n = type.ndim();
  if (i < -n || i >= n) {
    const LocationScope scope(loc, "shape");
    throw IndexError("shape: axis must be in [" + std::to_string(-n) + ", " + std::to_string(n) + "); got " +
                     std::to_string(i) + " for " + type.str() + ".");
  }
  return type.shape(static_cast<std::size_t>(i < 0 ? i + n : i));
}

std::string Array::device(SourceLocation loc) const {
  checked(loc, "device");
  return std::string(default_evaluator().device_name());
}

detail::HostView Array::host(const char* what, const SourceLocation& loc) const {
  const LocationScope scope(loc, what);
  const Ref<const BufferValue> b = detail::materialize(concrete(*this, what));
  return {b->storage(), {b->aval(), b->data()}};
}

detail::HostView Array::host_stored(const char* what, const SourceLocation& loc) const {
  const LocationScope scope(loc, what);
  const BufferValue& b = concrete(*this, what);
  return {b.storage(), {b.stored_aval(), b.data()}};
}

detail::HostView Array::host_elements(DType t, const char* what, const SourceLocation& loc) const {
  const LocationScope scope(loc, what);
  detail::HostView h = host(what, loc);
  // i2, i4, u2 and u4 have no C++ type of their own: they are read as the bytes that they are.
  const DType own = is_integer(h.view.dtype()) ? compute_dtype(h.view.dtype()) : h.view.dtype();
  if (own != t)
    throw DTypeError(std::string(what) + ": the C++ type must match the dtype; got " + std::string(name(t)) + " for " +
                         h.view.aval.str() + ".",
                     "convert first with astype(" + std::string(name(t)) + ").");
  return h;
}

void Array::copy_elements(DType t, void* out, std::size_t count, const char* what, const SourceLocation& loc) const {
  const LocationScope scope(loc, what);
  const detail::HostView h = host_elements(t, what, loc);
  if (static_cast<std::int64_t>(count) != h.view.size())
    throw ShapeError(std::string(what) + ": the destination must have as many elements as the array; got " +
                     std::to_string(count) + " for " + h.view.aval.str() + ".");
  if (count) std::memcpy(out, h.view.data, static_cast<std::size_t>(h.view.aval.bytes()));
}

void Array::read_item(DType t, void* out, const SourceLocation& loc) const {
  const LocationScope scope(loc, "item");
  const BufferValue& b = concrete(*this, "item", is_integer(t) ? ElementUse::kInteger : ElementUse::kElements);
  if (b.aval().size() != 1)
    throw ShapeError("item: the array must have exactly one element; got " + b.aval().str() + ".");
  if (t == boolean && is_complex(b.aval().dtype())) {  // truth: converting would drop the imaginary part
    std::complex<double> v;
    convert_elements(b.aval().dtype(), b.data(), c128, &v, 1);
    *static_cast<bool*>(out) = v != 0.0;
    return;
  }
  if (is_complex(b.aval().dtype()) && !is_complex(t))
    throw DTypeError("item: a complex number is not real; got " + std::string(name(t)) + " for " + b.aval().str() + ".",
                     "take a part of it first with np::real or np::imag, or its size with np::abs.");
  convert_elements(b.aval().dtype(), b.data(), t, out, 1);
}

Array::operator bool() const {
  const BufferValue& b = concrete(*this, "bool", ElementUse::kChoice);
  if (b.aval().size() != 1) {
    ShapeError error("bool: an array must have exactly one element to be true or false; got " + b.aval().str() + ".",
                     "reduce it first with np::all or np::any.");
    if (const std::string after = after_last_call(); !error.location() && !after.empty()) error.add_note(after);
    throw error;
  }
  bool v;
  read_item(boolean, &v, SourceLocation());
  return v;
}

}  // namespace weft
