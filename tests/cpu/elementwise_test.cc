#include "weft/cpu/kernels/elementwise.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "cpu/kernel_testing.h"

namespace weft::cpu {
namespace {

class Elementwise : public KernelTest {};

const std::vector<DType> kTypes = {boolean, i8, i16, i32, i64, u8, u16, u32, u64, f16, bf16, f32, f64};

// ---- references, one element at a time ----

template <class T>
T reference_binary(OpCode op, T a, T b) {
  if constexpr (std::is_same_v<T, bool>) {
    switch (op) {
      case OpCode::kAdd:
      case OpCode::kMaximum:
      case OpCode::kOr: return a || b;
      case OpCode::kMultiply:
      case OpCode::kMinimum:
      case OpCode::kAnd: return a && b;
      default: return a != b;
    }
  } else if constexpr (std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>) {
    return T(reference_binary<float>(op, a, b));
  } else if constexpr (std::is_floating_point_v<T>) {
    switch (op) {
      case OpCode::kAdd: return a + b;
      case OpCode::kSubtract: return a - b;
      case OpCode::kMultiply: return a * b;
      case OpCode::kDivide: return a / b;
      case OpCode::kRemainder: return std::fmod(a, b);
      case OpCode::kMaximum:
        return a != a || b != b ? std::numeric_limits<T>::quiet_NaN()
               : a == b         ? (std::signbit(a) ? b : a)
                                : std::max(a, b);
      case OpCode::kMinimum:
        return a != a || b != b ? std::numeric_limits<T>::quiet_NaN()
               : a == b         ? (std::signbit(a) ? a : b)
                                : std::min(a, b);
      case OpCode::kPower: return std::pow(a, b);
      case OpCode::kAtan2: return std::atan2(a, b);
      default: return T(0);
    }
  } else {
    using U = std::make_unsigned_t<T>;
    using W = std::common_type_t<U, unsigned>;
    constexpr U width = 8 * sizeof(T);
    const bool overflow = std::is_signed_v<T> && a == std::numeric_limits<T>::min() && b == static_cast<T>(-1);
    switch (op) {
      case OpCode::kAdd: return static_cast<T>(W(a) + W(b));
      case OpCode::kSubtract: return static_cast<T>(W(a) - W(b));
      case OpCode::kMultiply: return static_cast<T>(W(a) * W(b));
      case OpCode::kDivide: return b == 0 ? static_cast<T>(-1) : overflow ? a : static_cast<T>(a / b);
      case OpCode::kRemainder: return b == 0 ? a : overflow ? T(0) : static_cast<T>(a % b);
      case OpCode::kMaximum: return std::max(a, b);
      case OpCode::kMinimum: return std::min(a, b);
      case OpCode::kAnd: return static_cast<T>(a & b);
      case OpCode::kOr: return static_cast<T>(a | b);
      case OpCode::kXor: return static_cast<T>(a ^ b);
      case OpCode::kShiftLeft: return U(b) >= width ? T(0) : static_cast<T>(W(U(a)) << U(b));
      case OpCode::kShiftRightLogical: return U(b) >= width ? T(0) : static_cast<T>(U(a) >> U(b));
      case OpCode::kShiftRightArithmetic: {
        const auto s = static_cast<std::make_signed_t<T>>(a);
        return U(b) >= width ? static_cast<T>(s < 0 ? -1 : 0) : static_cast<T>(s >> U(b));
      }
      default: return T(0);
    }
  }
}

template <class T>
T reference_unary(OpCode op, T x) {
  if constexpr (std::is_same_v<T, bool>) {
    return !x;
  } else if constexpr (std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>) {
    return T(reference_unary<float>(op, x));
  } else if constexpr (std::is_floating_point_v<T>) {
    switch (op) {
      case OpCode::kAbs: return std::fabs(x);
      case OpCode::kNegate: return -x;
      case OpCode::kSign: return x != x || x == 0 ? x : std::copysign(T(1), x);
      case OpCode::kFloor: return std::floor(x);
      case OpCode::kCeil: return std::ceil(x);
      case OpCode::kRoundNearestEven: return std::nearbyint(x);
      case OpCode::kRoundNearestAfz: return std::round(x);
      case OpCode::kSqrt: return std::sqrt(x);
      case OpCode::kRsqrt: return T(1) / std::sqrt(x);
      case OpCode::kSquare: return x * x;
      default: return T(0);
    }
  } else {
    using U = std::make_unsigned_t<T>;
    switch (op) {
      case OpCode::kAbs: return x < T(0) ? static_cast<T>(U(0) - U(x)) : x;
      case OpCode::kNegate: return static_cast<T>(U(0) - U(x));
      case OpCode::kSign: return static_cast<T>(x > T(0) ? 1 : x < T(0) ? -1 : 0);
      case OpCode::kSquare: return reference_binary(OpCode::kMultiply, x, x);
      case OpCode::kNot: return static_cast<T>(~x);
      case OpCode::kPopcnt: return static_cast<T>(std::popcount(U(x)));
      case OpCode::kCountLeadingZeros: return static_cast<T>(std::countl_zero(U(x)));
      default: return T(0);
    }
  }
}

// Transcendental functions are tested, to their accuracy, where they are defined.
bool is_basic(OpCode op) {
  switch (op) {
    case OpCode::kAbs:
    case OpCode::kNegate:
    case OpCode::kSign:
    case OpCode::kFloor:
    case OpCode::kCeil:
    case OpCode::kRoundNearestEven:
    case OpCode::kRoundNearestAfz:
    case OpCode::kSqrt:
    case OpCode::kRsqrt:
    case OpCode::kSquare:
    case OpCode::kNot:
    case OpCode::kPopcnt:
    case OpCode::kCountLeadingZeros: return true;
    default: return false;
  }
}
bool gives_bool(OpCode op) {
  return op == OpCode::kIsFinite || op == OpCode::kIsInf || op == OpCode::kIsPosInf || op == OpCode::kIsNegInf;
}

TEST_F(Elementwise, unary_kernels_agree_with_their_definitions) {
  int kernels = 0;
  for (const DType t : kTypes) {
    for (int o = 0; o < kNumOps; ++o) {
      const auto op = static_cast<OpCode>(o);
      if (!find_unary(op, t) || gives_bool(op)) continue;
      ++kernels;
      for (const std::int64_t n : {1, 5, 37, 1000}) {
        const Buffer x = random_buffer(t, n, static_cast<unsigned>(o));
        const Operand in{x.data(), 0};
        const Buffer r = same_everywhere(
            [&] {
              Buffer out(t, n);
              run_elementwise(*find_unary(op, t), Dims{n}, &in, out.data());
              return out;
            },
            (std::string(ir::op_name(op)) + " of " + std::string(name(t))).c_str());
        if (!is_basic(op)) continue;
        visit_dtype(t, [&](auto tag) {
          using T = typename decltype(tag)::type;
          if constexpr (!std::is_same_v<T, std::complex<float>> && !std::is_same_v<T, std::complex<double>>) {
            for (std::int64_t i = 0; i < n; ++i)
              ASSERT_TRUE(same_value(r.at<T>(i), reference_unary(op, x.at<T>(i))))
                  << name(t) << " op " << o << " of " << +x.at<T>(i);
          }
        });
      }
    }
  }
  EXPECT_GE(kernels, 4 * 10 + 8 * 7 + 1);
}

TEST_F(Elementwise, float_classes) {
  for (const DType t : {f16, bf16, f32, f64}) {
    const Buffer x = random_buffer(t, 300, 5);
    for (const OpCode op : {OpCode::kIsFinite, OpCode::kIsInf, OpCode::kIsPosInf, OpCode::kIsNegInf}) {
      const Operand in{x.data(), 0};
      const Buffer r = same_everywhere(
          [&] {
            Buffer out(boolean, 300);
            run_elementwise(*find_unary(op, t), Dims{300}, &in, out.data());
            return out;
          },
          "class");
      for (std::int64_t i = 0; i < 300; ++i) {
        const double v = t == f64   ? x.at<double>(i)
                         : t == f32 ? x.at<float>(i)
                         : t == f16 ? float(x.at<float16>(i))
                                    : float(x.at<bfloat16>(i));
        const bool want = op == OpCode::kIsFinite   ? std::isfinite(v)
                          : op == OpCode::kIsInf    ? std::isinf(v)
                          : op == OpCode::kIsPosInf ? v == INFINITY
                                                    : v == -INFINITY;
        ASSERT_EQ(r.at<unsigned char>(i), want) << v;
      }
    }
  }
}

TEST_F(Elementwise, binary_kernels_agree_with_their_definitions) {
  int kernels = 0;
  for (const DType t : kTypes) {
    for (int o = 0; o < kNumOps; ++o) {
      const auto op = static_cast<OpCode>(o);
      if (!find_binary(op, t) || op == OpCode::kComplex) continue;  // complex gives another type
      ++kernels;
      const std::int64_t n = 1500;
      Buffer a = random_buffer(t, n, 1), b = random_buffer(t, n, 2);
      const Operand in[2] = {{a.data(), 0}, {b.data(), 0}};
      const Buffer r = same_everywhere(
          [&] {
            Buffer out(t, n);
            run_elementwise(*find_binary(op, t), Dims{n}, in, out.data());
            return out;
          },
          "binary");
      if (op == OpCode::kPower || op == OpCode::kAtan2) continue;
      visit_dtype(t, [&](auto tag) {
        using T = typename decltype(tag)::type;
        if constexpr (!std::is_same_v<T, std::complex<float>> && !std::is_same_v<T, std::complex<double>>) {
          for (std::int64_t i = 0; i < n; ++i)
            ASSERT_TRUE(same_value(r.at<T>(i), reference_binary(op, a.at<T>(i), b.at<T>(i))))
                << name(t) << " op " << o << " of " << +a.at<T>(i) << " and " << +b.at<T>(i);
        }
      });
    }
  }
  EXPECT_GE(kernels, 4 * 7 + 8 * 13 + 7);
}

TEST_F(Elementwise, complex_arithmetic_is_the_formula) {
  using C = std::complex<float>;
  const std::int64_t n = 333;
  Buffer a(c64, n), b(c64, n);
  for (std::int64_t i = 0; i < n; ++i) {
    const auto s = static_cast<float>(i);
    a.set<C>(i, C(std::sin(s), s));
    b.set<C>(i, i % 50 ? C(std::cos(s), 3 - s) : C(1e15f, -1e15f));
  }
  const Operand in[2] = {{a.data(), 0}, {b.data(), 0}};
  const auto pair = [&](OpCode op) {
    return same_everywhere(
        [&] {
          Buffer out(c64, n);
          run_elementwise(*find_binary(op, c64), Dims{n}, in, out.data());
          return out;
        },
        "complex");
  };
  const Buffer sum = pair(OpCode::kAdd), difference = pair(OpCode::kSubtract), product = pair(OpCode::kMultiply);
  const Buffer equal = same_everywhere(
      [&] {
        Buffer out(boolean, n);
        const Operand same[2] = {{a.data(), 0}, {sum.data(), 0}};
        run_elementwise(*find_compare(CompareOp::kEq, c64), Dims{n}, same, out.data());
        return out;
      },
      "complex equality");
  const Buffer imag = same_everywhere(
      [&] {
        Buffer out(f32, n);
        run_elementwise(*find_unary(OpCode::kImag, c64), Dims{n}, in, out.data());
        return out;
      },
      "imag");
  for (std::int64_t i = 0; i < n; ++i) {
    const C x = a.at<C>(i), y = b.at<C>(i);
    ASSERT_EQ(sum.at<C>(i), x + y);
    ASSERT_EQ(difference.at<C>(i), x - y);
    ASSERT_TRUE(same_value(product.at<C>(i).real(), x.real() * y.real() - x.imag() * y.imag()));
    ASSERT_TRUE(same_value(product.at<C>(i).imag(), x.real() * y.imag() + x.imag() * y.real()));
    ASSERT_EQ(equal.at<unsigned char>(i), x == x + y);
    ASSERT_EQ(imag.at<float>(i), x.imag());
  }
}

TEST_F(Elementwise, comparisons_follow_ieee) {
  for (const DType t : kTypes) {
    for (int o = 0; o < kNumCompareOps; ++o) {
      const auto op = static_cast<CompareOp>(o);
      const std::int64_t n = 700;
      const Buffer a = random_buffer(t, n, 3), b = random_buffer(t, n, 4);
      const Operand in[2] = {{a.data(), 0}, {b.data(), 0}};
      const Buffer r = same_everywhere(
          [&] {
            Buffer out(boolean, n);
            run_elementwise(*find_compare(op, t), Dims{n}, in, out.data());
            return out;
          },
          "compare");
      visit_dtype(t, [&](auto tag) {
        using T = typename decltype(tag)::type;
        if constexpr (!std::is_same_v<T, std::complex<float>> && !std::is_same_v<T, std::complex<double>>) {
          for (std::int64_t i = 0; i < n; ++i) {
            const T x = a.at<T>(i), y = b.at<T>(i);
            const bool want = op == CompareOp::kEq   ? x == y
                              : op == CompareOp::kNe ? x != y
                              : op == CompareOp::kLt ? x < y
                              : op == CompareOp::kLe ? x <= y
                              : op == CompareOp::kGt ? x > y
                                                     : x >= y;
            ASSERT_EQ(r.at<unsigned char>(i), want) << name(t) << " " << o << " " << +x << " " << +y;
          }
        }
      });
    }
  }
}

TEST_F(Elementwise, conversions_agree_with_convert_element) {
  for (const DType from : kTypes) {
    for (const DType to : kTypes) {
      const std::int64_t n = 1200;
      Buffer x = random_buffer(from, n, 6);
      if (from == f64)
        for (std::int64_t i = 0; i < n; i += 3)
          x.set<double>(i, std::ldexp(x.at<double>(i), static_cast<int>(i % 150) - 40));
      if (from == f32)
        for (std::int64_t i = 0; i < n; i += 3)
          x.set<float>(i, std::ldexp(x.at<float>(i), static_cast<int>(i % 150) - 40));
      const Operand in{x.data(), 0};
      const Buffer r = same_everywhere(
          [&] {
            Buffer out(to, n);
            run_elementwise(*find_convert(from, to), Dims{n}, &in, out.data());
            return out;
          },
          "convert");
      visit_dtype(from, [&](auto f) {
        visit_dtype(to, [&](auto g) {
          using F = typename decltype(f)::type;
          using G = typename decltype(g)::type;
          if constexpr (requires {
                          static_cast<float>(F{});
                          static_cast<float>(G{});
                        }) {
            for (std::int64_t i = 0; i < n; ++i)
              ASSERT_TRUE(same_value(r.at<G>(i), convert_element<G>(x.at<F>(i))))
                  << name(from) << " to " << name(to) << " of " << +x.at<F>(i);
          }
        });
      });
    }
  }
}

TEST_F(Elementwise, every_half_converts_to_float_and_back) {
  for (const DType t : {f16, bf16}) {
    Buffer all(t, 65536), wide(f32, 65536), back(t, 65536);
    for (std::int64_t i = 0; i < 65536; ++i) all.set<std::uint16_t>(i, static_cast<std::uint16_t>(i));
    for (const Isa isa : available_isas()) {
      force_isa(isa);
      const Operand in{all.data(), 0}, mid{wide.data(), 0};
      run_elementwise(*find_convert(t, f32), Dims{65536}, &in, wide.data());
      run_elementwise(*find_convert(f32, t), Dims{65536}, &mid, back.data());
      for (std::int64_t i = 0; i < 65536; ++i) {
        const float want = t == f16 ? float(all.at<float16>(i)) : float(all.at<bfloat16>(i));
        ASSERT_TRUE(same_value(wide.at<float>(i), want));
        if (want == want) {
          ASSERT_EQ(back.at<std::uint16_t>(i), all.at<std::uint16_t>(i));
        }
      }
    }
  }
}

TEST_F(Elementwise, select_and_clamp) {
  for (const DType t : {boolean, i8, i32, i64, u8, u16, f16, bf16, f32, f64, c64, c128}) {
    const std::int64_t n = 600;
    const Buffer p = random_buffer(boolean, n, 1), a = random_buffer(t, n, 2), b = random_buffer(t, n, 3);
    const std::int64_t bytes = byte_size(t);
    for (unsigned scalar = 0; scalar < 8; ++scalar) {
      const Operand in[3] = {{p.data(), scalar & 1u}, {a.data(), scalar >> 1 & 1u}, {b.data(), scalar >> 2 & 1u}};
      const Buffer r = same_everywhere(
          [&] {
            Buffer out(t, n);
            run_elementwise(*find_select(t), Dims{n}, in, out.data());
            return out;
          },
          "select");
      for (std::int64_t i = 0; i < n; ++i) {
        const auto& from = p.bytes[static_cast<std::size_t>(scalar & 1 ? 0 : i)] ? a : b;
        const std::int64_t at = scalar >> (&from == &a ? 1 : 2) & 1 ? 0 : i;
        ASSERT_EQ(
            std::memcmp(r.bytes.data() + i * bytes, from.bytes.data() + at * bytes, static_cast<std::size_t>(bytes)),
            0);
      }
    }
  }
  for (const DType t : {i8, i16, i32, i64, u8, u16, u32, u64, f16, bf16, f32, f64}) {
    const std::int64_t n = 600;
    const Buffer lo = random_buffer(t, n, 1), x = random_buffer(t, n, 2), hi = random_buffer(t, n, 3);
    for (unsigned scalar = 0; scalar < 8; ++scalar) {
      const Operand in[3] = {{lo.data(), scalar & 1u}, {x.data(), scalar >> 1 & 1u}, {hi.data(), scalar >> 2 & 1u}};
      const Buffer r = same_everywhere(
          [&] {
            Buffer out(t, n);
            run_elementwise(*find_clamp(t), Dims{n}, in, out.data());
            return out;
          },
          "clamp");
      visit_dtype(t, [&](auto tag) {
        using T = typename decltype(tag)::type;
        if constexpr (!std::is_same_v<T, std::complex<float>> && !std::is_same_v<T, std::complex<double>> &&
                      !std::is_same_v<T, bool>) {
          for (std::int64_t i = 0; i < n; ++i) {
            const T l = lo.at<T>(scalar & 1 ? 0 : i), v = x.at<T>(scalar & 2 ? 0 : i), h = hi.at<T>(scalar & 4 ? 0 : i);
            ASSERT_TRUE(same_value(r.at<T>(i),
                                   reference_binary(OpCode::kMinimum, reference_binary(OpCode::kMaximum, v, l), h)));
          }
        }
      });
    }
  }
}

// ---- operands that repeat ----

// The element of `in` that belongs to position `flat` of `shape`.
std::int64_t source_index(DimSpan shape, std::uint32_t repeated, std::int64_t flat) {
  std::int64_t index = 0, step = 1;
  for (std::size_t d = shape.size(); d-- > 0;) {
    const std::int64_t i = flat % shape[d];
    flat /= shape[d];
    if (repeated >> d & 1u) continue;
    index += i * step;
    step *= shape[d];
  }
  return index;
}

TEST_F(Elementwise, every_pattern_of_repetition) {
  const std::vector<Dims> shapes = {{},       {1},       {7},       {3, 5},          {1, 4},
                                    {5, 1},   {2, 3, 4}, {3, 1, 5}, {2, 2, 3, 2},    {40, 30},
                                    {3, 200}, {200, 3},  {0, 4},    {2, 3, 2, 2, 3}, {5, 130, 4}};
  for (const Dims& shape : shapes) {
    const std::int64_t n = product(shape);
    const Buffer a = random_buffer(f32, n + 1, 1, false), b = random_buffer(f32, n + 1, 2, false);
    const std::uint32_t patterns = 1u << shape.size();
    for (std::uint32_t ra = 0; ra < patterns; ++ra)
      for (std::uint32_t rb = 0; rb < patterns; ++rb) {
        const Operand in[2] = {{a.data(), ra}, {b.data(), rb}};
        Buffer out(f32, n + 1);
        run_elementwise(*find_binary(OpCode::kSubtract, f32), shape, in, out.data());
        for (std::int64_t i = 0; i < n; ++i)
          ASSERT_EQ(out.at<float>(i), a.at<float>(source_index(shape, ra, i)) - b.at<float>(source_index(shape, rb, i)))
              << "rank " << shape.size() << " patterns " << ra << " " << rb << " at " << i;
        ASSERT_EQ(out.bytes.back(), 0x5a);
      }
  }
}

TEST_F(Elementwise, repetition_of_other_sizes_and_operands) {
  const Dims shape{4, 60, 9};
  const std::int64_t n = product(shape);
  for (const DType t : {u8, f16, f64, c128}) {
    const Buffer p = random_buffer(boolean, n, 1), a = random_buffer(t, n, 2), b = random_buffer(t, n, 3);
    const std::size_t bytes = static_cast<std::size_t>(byte_size(t));
    for (std::uint32_t pattern = 0; pattern < 512; pattern += 7) {
      const Operand in[3] = {{p.data(), pattern & 7u}, {a.data(), pattern >> 3 & 7u}, {b.data(), pattern >> 6}};
      Buffer out(t, n);
      run_elementwise(*find_select(t), shape, in, out.data());
      for (std::int64_t i = 0; i < n; ++i) {
        const bool first = p.bytes[static_cast<std::size_t>(source_index(shape, pattern & 7u, i))];
        const std::int64_t at = source_index(shape, first ? pattern >> 3 & 7u : pattern >> 6, i);
        const Buffer& from = first ? a : b;
        ASSERT_EQ(std::memcmp(out.bytes.data() + static_cast<std::size_t>(i) * bytes,
                              from.bytes.data() + static_cast<std::size_t>(at) * bytes, bytes),
                  0);
      }
    }
  }
}

TEST_F(Elementwise, results_may_replace_an_operand) {
  for (const Dims& shape : {Dims{1000}, Dims{50, 7}, Dims{7, 300}, Dims{600000}}) {
    const std::int64_t n = product(shape);
    for (const DType t : {f32, f64, bf16, i32}) {
      for (const std::uint32_t rb : {0u, 1u, (1u << shape.size()) - 1}) {
        const Buffer a = random_buffer(t, n, 1), b = random_buffer(t, n, 2);
        const Operand in[2] = {{a.data(), 0}, {b.data(), rb}};
        Buffer apart(t, n), in_place = a;
        run_elementwise(*find_binary(OpCode::kMultiply, t), shape, in, apart.data());
        const Operand same[2] = {{in_place.data(), 0}, {b.data(), rb}};
        run_elementwise(*find_binary(OpCode::kMultiply, t), shape, same, in_place.data());
        ASSERT_TRUE(apart.bytes == in_place.bytes) << name(t);
        Buffer square = a;
        const Operand both[2] = {{square.data(), 0}, {square.data(), 0}};
        Buffer want(t, n);
        const Operand twice[2] = {{a.data(), 0}, {a.data(), 0}};
        run_elementwise(*find_binary(OpCode::kMultiply, t), shape, twice, want.data());
        run_elementwise(*find_binary(OpCode::kMultiply, t), shape, both, square.data());
        ASSERT_TRUE(want.bytes == square.bytes);
      }
    }
  }
}

TEST_F(Elementwise, large_results_are_the_same_past_the_caches_and_on_two_threads) {
  // 20 MiB: above the size that is written past the caches; not a multiple of anything.
  const std::int64_t n = 5 * 1024 * 1024 + 13;
  const Buffer a = random_buffer(f32, n, 1, false), b = random_buffer(f32, n, 2, false);
  const Operand in[2] = {{a.data(), 0}, {b.data(), 0}};
  const Buffer r = same_everywhere(
      [&] {
        Buffer out(f32, n);
        run_elementwise(*find_binary(OpCode::kAdd, f32), Dims{n}, in, out.data());
        return out;
      },
      "add");
  for (std::int64_t i = 0; i < n; ++i) ASSERT_EQ(r.at<float>(i), a.at<float>(i) + b.at<float>(i));
  const Dims shape{2013, 2600};
  const Operand rows[2] = {{a.data(), 0}, {b.data(), 1}};
  const Buffer s = same_everywhere(
      [&] {
        Buffer out(f32, product(shape));
        run_elementwise(*find_binary(OpCode::kAdd, f32), shape, rows, out.data());
        return out;
      },
      "row add");
  for (std::int64_t i = 0; i < product(shape); i += 11)
    ASSERT_EQ(s.at<float>(i), a.at<float>(i) + b.at<float>(i % 2600));
}

TEST_F(Elementwise, what_has_no_kernel_is_null) {
  EXPECT_EQ(find_unary(OpCode::kPopcnt, f32), nullptr);
  EXPECT_EQ(find_unary(OpCode::kSqrt, i32), nullptr);
  EXPECT_EQ(find_binary(OpCode::kAnd, f64), nullptr);
  EXPECT_EQ(find_binary(OpCode::kPower, c64), nullptr);
  EXPECT_EQ(find_compare(CompareOp::kLt, c64), nullptr);
  EXPECT_EQ(find_convert(c64, f32), nullptr);
  EXPECT_EQ(find_clamp(c64), nullptr);
}

TEST_F(Elementwise, an_instruction_set_the_machine_lacks_is_an_error) {
  for (const Isa isa : {Isa::kV3, Isa::kV4})
    if (!isa_available(isa)) {
      EXPECT_THROW(force_isa(isa), BackendError);
    }
  force_isa(Isa::kBaseline);
  EXPECT_EQ(active_isa(), Isa::kBaseline);
}

}  // namespace
}  // namespace weft::cpu
