// astype between all pairs of types, against a definition of its own.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <type_traits>

#include "weft/weft.h"

namespace weft {
namespace {

/// The real values worth converting, exact in long double.
std::vector<long double> interesting_values() {
  std::vector<long double> v = {
      0.0L,     -0.0L,        0.5L,     -0.5L,         0.99L,          -0.99L,        1.5L,        -1.5L,      2.5L,
      1e-5L,    -1e-8L,       1e-30L,   5e-324L,       1e-45L,         5.9e-8L,       2.9e-8L,     65504.0L,   65519.0L,
      65520.0L, 65519.99L,    65536.0L, 1e30L,         -1e30L,         3.4e38L,       3.5e38L,     3.39e38L,   1e300L,
      -1e300L,  1234567.891L, 0.1L,     1.0009765625L, 1.00048828125L, 1.0014648438L, 1.00390625L, 1.01171875L};
  for (const int bits : {7, 8, 11, 15, 16, 24, 31, 32, 53, 63, 64})
    for (const long double d : {-1.5L, -1.0L, -0.5L, 0.0L, 0.5L, 1.0L, 1.5L})
      for (const long double sign : {1.0L, -1.0L}) v.push_back(sign * (std::ldexp(1.0L, bits) + d));
  const long double inf = std::numeric_limits<long double>::infinity();
  v.insert(v.end(), {inf, -inf, std::numeric_limits<long double>::quiet_NaN()});
  return v;
}

template <class T>
constexpr bool is_complex_type = std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>;
template <class T>
constexpr bool is_small_float = std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>;

/// The nearest of the 2^16 numbers of a small format, found by trying them: ties go to the even bit pattern.
template <class T>
T nearest_small(long double v) {
  static const std::vector<std::pair<long double, std::uint16_t>> table = [] {
    std::vector<std::pair<long double, std::uint16_t>> t;
    for (std::uint32_t b = 0; b < 0x8000; ++b) {
      const float f = T::from_bits(static_cast<std::uint16_t>(b));
      if (std::isfinite(f)) t.emplace_back(f, static_cast<std::uint16_t>(b));
    }
    // Infinity takes the place of the number that would come next.
    const long double last = t.back().first, step = last - t[t.size() - 2].first;
    t.emplace_back(last + step, static_cast<std::uint16_t>(t.back().second + 1));
    return t;
  }();
  if (v != v) return std::numeric_limits<T>::quiet_NaN();
  const std::uint16_t sign = std::signbit(v) ? 0x8000 : 0;
  const long double a = std::fabs(v);
  const auto above = std::lower_bound(table.begin(), table.end(), std::pair(a, std::uint16_t{0}));
  if (above == table.end()) return T::from_bits(static_cast<std::uint16_t>(table.back().second | sign));
  if (above == table.begin() || above->first == a)
    return T::from_bits(static_cast<std::uint16_t>(above->second | sign));
  const auto below = above - 1;
  const long double up = above->first - a, down = a - below->first;
  const bool take_above = up < down || (up == down && above->second % 2 == 0);
  return T::from_bits(static_cast<std::uint16_t>((take_above ? above->second : below->second) | sign));
}

/// Any element as its real and imaginary part, without loss.
template <class T>
std::complex<long double> exact(T v) {
  if constexpr (is_complex_type<T>)
    return {v.real(), v.imag()};
  else if constexpr (is_small_float<T>)
    return static_cast<float>(v);
  else
    return static_cast<long double>(v);
}

/// What a conversion gives: StableHLO's convert, with saturation of floats, wrapping of integers and NaN to 0.
template <class To>
To converted(std::complex<long double> z, bool from_integer) {
  const long double v = z.real();
  if constexpr (is_complex_type<To>) {
    using R = typename To::value_type;
    return To(static_cast<R>(z.real()), static_cast<R>(z.imag()));
  } else if constexpr (std::is_same_v<To, bool>) {
    return z.real() != 0 || z.imag() != 0;
  } else if constexpr (is_small_float<To>) {
    return nearest_small<To>(v);
  } else if constexpr (std::is_floating_point_v<To>) {
    return static_cast<To>(v);
  } else if (from_integer) {
    return static_cast<To>(static_cast<unsigned __int128>(static_cast<__int128>(v)));
  } else {
    if (v != v) return To(0);
    const long double whole = std::trunc(v);
    if (whole >= static_cast<long double>(std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
    if (whole <= static_cast<long double>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
    return static_cast<To>(whole);
  }
}

/// Elements of T near the interesting values, in a length that fills vectors and leaves a rest.
template <class T>
std::vector<T> elements() {
  std::vector<T> r;
  const std::vector<long double> values = interesting_values();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const long double v = values[i];
    if constexpr (is_complex_type<T>)
      r.push_back(T(static_cast<typename T::value_type>(v),
                    static_cast<typename T::value_type>(values[(i * 7 + 3) % values.size()])));
    else
      r.push_back(converted<T>(v, false));
  }
  if constexpr (is_complex_type<T>) r.push_back(T(0, 1));
  if (r.size() % 8 == 0) r.push_back(r[1]);
  return r;
}

template <class T>
bool same_element(T a, T b) {
  if constexpr (is_complex_type<T>)
    return same_element(a.real(), b.real()) && same_element(a.imag(), b.imag());
  else if constexpr (std::is_integral_v<T>)
    return a == b;
  else {
    const double x = static_cast<double>(static_cast<std::conditional_t<is_small_float<T>, float, T>>(a)),
                 y = static_cast<double>(static_cast<std::conditional_t<is_small_float<T>, float, T>>(b));
    return std::isnan(x) ? std::isnan(y) : x == y && std::signbit(x) == std::signbit(y);
  }
}

/// Elements of one type, without loss.
struct Elements {
  Array x;
  std::vector<Array> items;  // every fifth alone
  std::vector<std::complex<long double>> values;
  bool integers = false;
};

// The types converted from and to meet at run time: all pairs of templates would take a minute to compile.
std::vector<Elements> elements_of_all_types() {
  std::vector<Elements> all;
  for (int from = 0; from < kNumComputeDTypes; ++from)
    visit_dtype(static_cast<DType>(from), [&]<class From>(TypeTag<From>) {
      const std::vector<From> in = elements<From>();
      Elements e{Array(in), {}, {}, std::is_integral_v<From>};
      for (const From v : in) e.values.push_back(exact<From>(v));
      for (std::size_t i = 0; i < in.size(); i += 5) e.items.emplace_back(From(in[i]));
      all.push_back(std::move(e));
    });
  return all;
}

template <class To>
void expect_converted(const Array& y, const Elements& from, const std::vector<To>& want, const char* how) {
  ASSERT_EQ(y.dtype(), dtype_of<To>());
  const std::vector<To> out = y.to_vector<To>();
  ASSERT_EQ(out.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i)
    EXPECT_TRUE(same_element<To>(out[i], want[i]))
        << how << ": " << from.x(i).str() << " from " << name(from.x.dtype()) << " to " << name(y.dtype()) << " gives "
        << y(i).str() << ", wanted " << Array(want[i]).str();
}

template <class To>
void expect_all_converted(const Elements& from) {
  const DType t = dtype_of<To>();
  std::vector<To> want;
  for (const auto& v : from.values) want.push_back(converted<To>(v, from.integers));
  expect_converted(from.x.astype(t), from, want, "eager");
  expect_converted(jit([t](Array a) { return a.astype(t); })(from.x), from, want, "jit");
  if (is_complex(from.x.dtype()) && !is_complex(t) && t != boolean) {
    for (const Array& item : from.items) EXPECT_THROW(item.item<To>(), DTypeError);  // astype is told, item is not
    return;
  }
  for (std::size_t i = 0; i < from.items.size(); ++i)
    EXPECT_TRUE(same_element<To>(from.items[i].item<To>(), want[5 * i]))
        << "item of " << from.items[i].str() << " from " << name(from.x.dtype()) << " to " << name(t);
}

TEST(astype, converts_between_all_pairs_of_types_as_defined) {
  for (const Elements& from : elements_of_all_types())
    for (int to = 0; to < kNumComputeDTypes; ++to)
      visit_dtype(static_cast<DType>(to), [&]<class To>(TypeTag<To>) { expect_all_converted<To>(from); });
}

TEST(astype, to_the_own_type_gives_the_same_array) {
  const Array x = np::array({1.0f, 2.0f});
  EXPECT_TRUE(x.astype(f32).identical(x));
  EXPECT_FALSE(x.astype(f64).identical(x));
}

TEST(astype, keeps_shape_and_repeats) {
  EXPECT_EQ(np::zeros({2, 0, 3}).astype(c64).aval().str(), "c64[2,0,3]");
  EXPECT_EQ(Array(2.9f).astype(i8).aval().str(), "i8[]");
  const Array x = Array::full(Dims{50, 2}, f32, Scalar(-1.5f)).astype(i16);
  EXPECT_EQ(x.to_vector<std::int16_t>(), std::vector<std::int16_t>(100, -1));
}

// ---- shapes and elements in the caller's own containers ----

}  // namespace
}  // namespace weft
