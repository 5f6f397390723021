#include "harness/values.h"

#include <cmath>
#include <cstring>
#include <sstream>

#include "weft/ir/elements.h"

namespace weft::testing {

namespace {

template <class T>
Complex widened(const T& v) {
  if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, Complex>)
    return Complex(v);
  else
    return static_cast<double>(v);
}

bool is_nan(Complex v) { return std::isnan(v.real()) || std::isnan(v.imag()); }

// "[1,2]", the place of element `i`.
std::string place(std::int64_t i, DimSpan shape) {
  Dims at(shape.size());
  for (std::size_t k = shape.size(); k-- > 0; i /= shape[k]) at[k] = i % shape[k];
  return shape_str(at);
}

std::string text(Complex v, DType t) {
  std::ostringstream s;
  s.precision(17);
  if (is_complex(t))
    s << v;
  else
    s << v.real();
  return s.str();
}

// Bytes of one element, to compare integers that double cannot hold.
std::string bits_text(const Array& x, std::int64_t i) {
  const auto view = x.host("test");
  std::ostringstream s;
  const auto size = byte_size(x.dtype());
  for (std::int64_t k = size; k-- > 0;) {
    static constexpr char kHex[] = "0123456789abcdef";
    const auto b = static_cast<unsigned char>(static_cast<const char*>(view.view.data)[i * size + k]);
    s << kHex[b >> 4] << kHex[b & 15];
  }
  return " (bits " + s.str() + ")";
}

template <class Same>
std::string compare(const Array& got, const Array& want, const Same& same) {
  if (!got.defined() || !want.defined())
    return got.defined() == want.defined() ? "" : std::string(want.defined() ? "must not be" : "must be") + " none.";
  if (got.aval() != want.aval()) return "must have type " + want.aval().str() + "; got " + got.aval().str() + ".";
  const auto a = got.host("test"), b = want.host("test");
  const auto size = byte_size(got.dtype());
  if (got.size() && std::memcmp(a.view.data, b.view.data, static_cast<std::size_t>(got.nbytes())) == 0) return "";
  const auto x = elements(got), y = elements(want);
  for (std::int64_t i = 0; i < got.size(); ++i) {
    const Complex g = x[static_cast<std::size_t>(i)], w = y[static_cast<std::size_t>(i)];
    if (std::memcmp(static_cast<const char*>(a.view.data) + i * size, static_cast<const char*>(b.view.data) + i * size,
                    static_cast<std::size_t>(size)) == 0)
      continue;
    if (is_inexact(got.dtype()) && ((is_nan(g) && is_nan(w)) || same(g, w))) continue;
    std::string s =
        "element " + place(i, got.shape()) + " must be " + text(w, got.dtype()) + "; got " + text(g, got.dtype());
    if (g == w) s += bits_text(got, i) + " for" + bits_text(want, i);
    return s + ".";
  }
  return "";
}

template <class Compare>
std::string compare_lists(std::span<const Array> got, std::span<const Array> want, const Compare& compare_one) {
  if (got.size() != want.size())
    return "there must be " + std::to_string(want.size()) + " results; got " + std::to_string(got.size()) + ".";
  for (std::size_t i = 0; i < got.size(); ++i)
    if (const std::string s = compare_one(got[i], want[i]); !s.empty())
      return want.size() > 1 ? "result " + std::to_string(i) + ": " + s : s;
  return "";
}

}  // namespace

std::vector<Complex> elements(const Array& x) {
  const auto host = x.host("test");
  std::vector<Complex> r;
  const DType t = compute_dtype(x.dtype());
  std::vector<std::byte> wide(static_cast<std::size_t>(x.size() * byte_size(t)));
  const void* data = host.view.data;
  if (is_storage(x.dtype())) {
    widen_elements(x.dtype(), data, wide.data(), x.size());
    data = wide.data();
  }
  visit_dtype(t, [&]<class T>(TypeTag<T>) {
    for (std::int64_t i = 0; i < x.size(); ++i) r.push_back(widened(static_cast<const T*>(data)[i]));
  });
  return r;
}

Array array_of(Aval like, const std::vector<Complex>& values) {
  const auto size = byte_size(like.dtype());
  std::vector<std::byte> bytes(static_cast<std::size_t>(like.bytes()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::byte* to = bytes.data() + i * static_cast<std::size_t>(size);
    if (is_complex(like.dtype()))
      Scalar(values[i]).write(like.dtype(), to);
    else
      Scalar(values[i].real()).write(like.dtype(), to);
  }
  return Array::copy(like.dtype(), like.shape(), bytes.data(), values.size());
}

Array draw(Aval like, int salt) {
  std::vector<Complex> values;
  std::uint32_t state = 2463534242u + 7919u * static_cast<std::uint32_t>(salt);
  // Marsaglia's xorshift.
  const auto next = [&] {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return static_cast<double>(state >> 8) / 8388608.0 - 1.0;
  };
  for (int i = 0; i < 8; ++i) next();
  for (std::int64_t i = 0; i < like.size(); ++i) {
    const double re = next(), im = next();
    values.emplace_back(is_inexact(like.dtype()) ? Complex(re, im) : Complex(std::floor(re * 4 + 4)));
  }
  return array_of(like, values);
}

Array moved(const Array& x, const Array& t, double h) {
  auto a = elements(x);
  const auto b = elements(t);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += h * b[i];
  return array_of(x.aval(), a);
}

double pairing(const Array& x, const Array& y) {
  const auto a = elements(x), b = elements(y);
  Complex sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum.real();
}

double precision(DType t) {
  // A step at 1: partial results, which are rounded too, may end a step away from the whole.
  if (is_storage(t) && is_float(t)) return std::ldexp(1, -small_float_format(t).mantissa_bits);
  switch (t) {
    case f64:
    case c128: return 1e-12;
    case f32:
    case c64: return 4e-6;
    case f16: return 4e-3;
    case bf16: return 3e-2;
    default: return 0;
  }
}

bool is_double(DType t) { return t == f64 || t == c128; }

std::string difference(const Array& got, const Array& want, double tolerance) {
  return compare(got, want, [&](Complex g, Complex w) {
    const auto close = [&](double a, double b) {
      return a == b || std::abs(a - b) <= tolerance * (1 + (std::isfinite(std::abs(w)) ? std::abs(w) : 0));
    };
    return close(g.real(), w.real()) && close(g.imag(), w.imag());
  });
}

std::string difference(std::span<const Array> got, std::span<const Array> want, double tolerance) {
  return compare_lists(got, want, [&](const Array& g, const Array& w) { return difference(g, w, tolerance); });
}

std::string bit_difference(std::span<const Array> got, std::span<const Array> want) {
  return compare_lists(
      got, want, [](const Array& g, const Array& w) { return compare(g, w, [](Complex, Complex) { return false; }); });
}

Array stacked(std::span<const Array> parts, int axis) {
  const Aval one = parts[0].aval();
  Dims shape(one.shape());
  shape.insert(shape.begin() + axis, static_cast<std::int64_t>(parts.size()));
  const std::int64_t inner = product(one.shape().subspan(static_cast<std::size_t>(axis))) * byte_size(one.dtype());
  const std::int64_t outer = product(one.shape().first(static_cast<std::size_t>(axis)));
  std::vector<std::byte> bytes;
  for (std::int64_t o = 0; o < outer; ++o)
    for (const Array& p : parts) {
      const auto host = p.host("test");
      const auto* from = static_cast<const std::byte*>(host.view.data) + o * inner;
      bytes.insert(bytes.end(), from, from + inner);
    }
  return Array::copy(one.dtype(), shape, bytes.data(), static_cast<std::size_t>(product(shape)));
}

Arrays stacked_results(std::span<const Arrays> examples) {
  Arrays r;
  for (std::size_t i = 0; i < examples[0].size(); ++i) {
    Arrays column;
    for (const Arrays& e : examples) column.push_back(e[i]);
    r.push_back(stacked(column, 0));
  }
  return r;
}

Array part(const Array& x, int axis, std::int64_t size, std::int64_t minor, std::int64_t begin, std::int64_t end) {
  const auto a = static_cast<std::size_t>(axis);
  const std::int64_t major = x.aval().shape(a) / (size * minor);
  const std::int64_t inner = minor * product(x.shape().subspan(a + 1)) * byte_size(x.dtype());
  const std::int64_t outer = product(x.shape().first(a)) * major;
  Dims shape(x.shape());
  shape[a] = major * (end - begin) * minor;
  const auto host = x.host("test");
  std::vector<std::byte> bytes;
  for (std::int64_t o = 0; o < outer; ++o) {
    const auto* from = static_cast<const std::byte*>(host.view.data) + (o * size + begin) * inner;
    bytes.insert(bytes.end(), from, from + (end - begin) * inner);
  }
  return Array::copy(x.dtype(), shape, bytes.data(), static_cast<std::size_t>(product(shape)));
}

std::string types(std::span<const Array> xs) {
  std::string s;
  for (const Array& x : xs) s += (s.empty() ? "" : ", ") + x.aval().str();
  return s;
}

}  // namespace weft::testing
