// Element types and their C++ representations. Nothing here knows about arrays.
//
// Most dtypes are computed in. The others, after c128 in the list, are storage types: small floats and integers that
// programs keep and move; computing converts them to their compute_dtype and back (ir/elements.h). Each of their
// elements is one byte with the value in its low bits: small integers extended by their sign, above small floats zeros.
#pragma once

#include <complex>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string_view>
#include <type_traits>

#include "weft/base/error.h"
#include "weft/base/float16.h"
#include "weft/base/float8.h"

namespace weft {

enum class DType : std::uint8_t {
  kBool,
  kI8,
  kI16,
  kI32,
  kI64,
  kU8,
  kU16,
  kU32,
  kU64,
  kF16,
  kBF16,
  kF32,
  kF64,
  kC64,
  kC128,
  kI2,
  kI4,
  kU2,
  kU4,
  kF8E4M3FN,
  kF8E5M2,
  kF8E4M3FNUZ,
  kF8E5M2FNUZ,
  kF8E4M3B11FNUZ,
  kF8E4M3,
  kF8E3M4,
  kF8E8M0FNU,
  kF6E2M3FN,
  kF6E3M2FN,
  kF4E2M1FN,
};
inline constexpr int kNumDTypes = 30;
/// The first of them: those with arithmetic of their own, which visit_dtype knows.
inline constexpr int kNumComputeDTypes = 15;

// The names users write: weft::f32 and so on.
inline constexpr DType boolean = DType::kBool;
inline constexpr DType i8 = DType::kI8, i16 = DType::kI16, i32 = DType::kI32, i64 = DType::kI64;
inline constexpr DType u8 = DType::kU8, u16 = DType::kU16, u32 = DType::kU32, u64 = DType::kU64;
inline constexpr DType f16 = DType::kF16, bf16 = DType::kBF16, f32 = DType::kF32, f64 = DType::kF64;
inline constexpr DType c64 = DType::kC64, c128 = DType::kC128;
inline constexpr DType i2 = DType::kI2, i4 = DType::kI4, u2 = DType::kU2, u4 = DType::kU4;
inline constexpr DType f8e4m3fn = DType::kF8E4M3FN, f8e5m2 = DType::kF8E5M2, f8e4m3fnuz = DType::kF8E4M3FNUZ,
                       f8e5m2fnuz = DType::kF8E5M2FNUZ, f8e4m3b11fnuz = DType::kF8E4M3B11FNUZ, f8e4m3 = DType::kF8E4M3,
                       f8e3m4 = DType::kF8E3M4, f8e8m0fnu = DType::kF8E8M0FNU, f6e2m3fn = DType::kF6E2M3FN,
                       f6e3m2fn = DType::kF6E3M2FN, f4e2m1fn = DType::kF4E2M1FN;

/// Ordered: a scalar literal never raises an operand to a higher category unless its own is higher.
enum class Category : std::uint8_t { kBool, kInteger, kFloat, kComplex };

namespace detail {
struct DTypeInfo {
  std::string_view name;   // "f32": jaxprs, errors
  std::string_view numpy;  // "float32": dtype printing, .npy, parameters
  std::uint8_t size;       // bytes
  Category category;
};
inline constexpr DTypeInfo kDTypeInfo[kNumDTypes] = {
    {"bool", "bool", 1, Category::kBool},
    {"i8", "int8", 1, Category::kInteger},
    {"i16", "int16", 2, Category::kInteger},
    {"i32", "int32", 4, Category::kInteger},
    {"i64", "int64", 8, Category::kInteger},
    {"u8", "uint8", 1, Category::kInteger},
    {"u16", "uint16", 2, Category::kInteger},
    {"u32", "uint32", 4, Category::kInteger},
    {"u64", "uint64", 8, Category::kInteger},
    {"f16", "float16", 2, Category::kFloat},
    {"bf16", "bfloat16", 2, Category::kFloat},
    {"f32", "float32", 4, Category::kFloat},
    {"f64", "float64", 8, Category::kFloat},
    {"c64", "complex64", 8, Category::kComplex},
    {"c128", "complex128", 16, Category::kComplex},
    {"i2", "int2", 1, Category::kInteger},
    {"i4", "int4", 1, Category::kInteger},
    {"u2", "uint2", 1, Category::kInteger},
    {"u4", "uint4", 1, Category::kInteger},
    {"f8e4m3fn", "float8_e4m3fn", 1, Category::kFloat},
    {"f8e5m2", "float8_e5m2", 1, Category::kFloat},
    {"f8e4m3fnuz", "float8_e4m3fnuz", 1, Category::kFloat},
    {"f8e5m2fnuz", "float8_e5m2fnuz", 1, Category::kFloat},
    {"f8e4m3b11fnuz", "float8_e4m3b11fnuz", 1, Category::kFloat},
    {"f8e4m3", "float8_e4m3", 1, Category::kFloat},
    {"f8e3m4", "float8_e3m4", 1, Category::kFloat},
    {"f8e8m0fnu", "float8_e8m0fnu", 1, Category::kFloat},
    {"f6e2m3fn", "float6_e2m3fn", 1, Category::kFloat},
    {"f6e3m2fn", "float6_e3m2fn", 1, Category::kFloat},
    {"f4e2m1fn", "float4_e2m1fn", 1, Category::kFloat},
};
inline constexpr SmallFloatFormat kSmallFloatFormats[] = {
    small_float_formats::e4m3fn,   small_float_formats::e5m2,        small_float_formats::e4m3fnuz,
    small_float_formats::e5m2fnuz, small_float_formats::e4m3b11fnuz, small_float_formats::e4m3,
    small_float_formats::e3m4,     small_float_formats::e8m0fnu,     small_float_formats::e2m3fn,
    small_float_formats::e3m2fn,   small_float_formats::e2m1fn};
}  // namespace detail

constexpr std::string_view name(DType t) { return detail::kDTypeInfo[static_cast<int>(t)].name; }
constexpr std::string_view numpy_name(DType t) { return detail::kDTypeInfo[static_cast<int>(t)].numpy; }
constexpr std::int64_t byte_size(DType t) { return detail::kDTypeInfo[static_cast<int>(t)].size; }
constexpr Category category(DType t) { return detail::kDTypeInfo[static_cast<int>(t)].category; }
constexpr bool is_complex(DType t) { return category(t) == Category::kComplex; }
constexpr bool is_float(DType t) { return category(t) == Category::kFloat; }
constexpr bool is_integer(DType t) { return category(t) == Category::kInteger; }
constexpr bool is_unsigned(DType t) {
  return (t >= DType::kU8 && t <= DType::kU64) || t == DType::kU2 || t == DType::kU4;
}
constexpr bool is_signed_integer(DType t) { return is_integer(t) && !is_unsigned(t); }
/// Float or complex: the types that have tangents.
constexpr bool is_inexact(DType t) { return category(t) >= Category::kFloat; }
/// c64 -> f32, c128 -> f64, others unchanged.
constexpr DType real_dtype(DType t) { return t == c64 ? f32 : t == c128 ? f64 : t; }
/// f32 -> c64, f64 -> c128; other types have no complex form here and become c64.
constexpr DType complex_dtype(DType t) { return t == f64 || t == c128 ? c128 : c64; }
/// Whether `t` is stored and moved, but computed in as compute_dtype(t).
constexpr bool is_storage(DType t) { return static_cast<int>(t) >= kNumComputeDTypes; }
/// Storage floats -> f32, storage integers -> i8 or u8, others unchanged. Holds all values of `t`.
constexpr DType compute_dtype(DType t) { return !is_storage(t) ? t : is_float(t) ? f32 : is_unsigned(t) ? u8 : i8; }
/// The format of a storage float.
constexpr const SmallFloatFormat& small_float_format(DType t) {
  return detail::kSmallFloatFormats[static_cast<int>(t) - static_cast<int>(DType::kF8E4M3FN)];
}
/// Bits that the value of an element has: 1 of bool, 4 of i4, 64 of c64.
constexpr int bit_width(DType t) {
  if (t == boolean) return 1;
  if (!is_storage(t)) return 8 * static_cast<int>(byte_size(t));
  return is_float(t) ? small_float_format(t).width() : t == DType::kI2 || t == DType::kU2 ? 2 : 4;
}
/// Its name: "f32".
std::ostream& operator<<(std::ostream& out, DType t);
/// "f32" or "float32" -> f32; nullopt when there is no such type.
std::optional<DType> parse_dtype(std::string_view name);

/// The dtype of a C++ element type.
template <class T>
constexpr DType dtype_of() {
  using U = std::remove_cv_t<T>;
  if constexpr (std::is_same_v<U, bool>)
    return boolean;
  else if constexpr (std::is_same_v<U, float>)
    return f32;
  else if constexpr (std::is_same_v<U, double>)
    return f64;
  else if constexpr (std::is_same_v<U, float16>)
    return f16;
  else if constexpr (std::is_same_v<U, bfloat16>)
    return bf16;
  else if constexpr (std::is_same_v<U, std::complex<float>>)
    return c64;
  else if constexpr (std::is_same_v<U, std::complex<double>>)
    return c128;
  else if constexpr (is_small_float_v<U>) {
    for (int i = static_cast<int>(DType::kF8E4M3FN); i < kNumDTypes; ++i)
      if (small_float_format(static_cast<DType>(i)) == U::format) return static_cast<DType>(i);
    throw InternalError("dtype_of: no dtype has this format");
  } else {
    static_assert(std::is_integral_v<U>, "no dtype represents this C++ type");
    constexpr bool s = std::is_signed_v<U>;
    return sizeof(U) == 1   ? (s ? i8 : u8)
           : sizeof(U) == 2 ? (s ? i16 : u16)
           : sizeof(U) == 4 ? (s ? i32 : u32)
                            : (s ? i64 : u64);
  }
}

/// True for C++ types that dtype_of accepts.
template <class T>
inline constexpr bool is_element_v =
    std::is_arithmetic_v<T> || std::is_same_v<T, float16> || std::is_same_v<T, bfloat16> || is_small_float_v<T> ||
    std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>;

template <class T>
struct TypeTag {
  using type = T;
};

/// Calls `f(TypeTag<T>{})` with the C++ type of `t`, which must not be a storage type, and returns its result.
template <class F>
decltype(auto) visit_dtype(DType t, F&& f) {
  switch (t) {
    case DType::kBool: return f(TypeTag<bool>{});
    case DType::kI8: return f(TypeTag<std::int8_t>{});
    case DType::kI16: return f(TypeTag<std::int16_t>{});
    case DType::kI32: return f(TypeTag<std::int32_t>{});
    case DType::kI64: return f(TypeTag<std::int64_t>{});
    case DType::kU8: return f(TypeTag<std::uint8_t>{});
    case DType::kU16: return f(TypeTag<std::uint16_t>{});
    case DType::kU32: return f(TypeTag<std::uint32_t>{});
    case DType::kU64: return f(TypeTag<std::uint64_t>{});
    case DType::kF16: return f(TypeTag<float16>{});
    case DType::kBF16: return f(TypeTag<bfloat16>{});
    case DType::kF32: return f(TypeTag<float>{});
    case DType::kF64: return f(TypeTag<double>{});
    case DType::kC64: return f(TypeTag<std::complex<float>>{});
    case DType::kC128: return f(TypeTag<std::complex<double>>{});
    default: break;
  }
  throw InternalError("visit_dtype: a storage type, of which elements are not computed in");
}

/// Converts one element the way `convert` does (StableHLO): to bool is "not zero", float to
/// integer truncates towards zero, saturates at the ends of the range and maps NaN to 0,
/// complex to real (and to bool) drops the imaginary part.
template <class To, class From>
To convert_element(From v) {
  if constexpr (std::is_same_v<To, From>)
    return v;
  else if constexpr (std::is_same_v<From, std::complex<float>> || std::is_same_v<From, std::complex<double>>) {
    if constexpr (std::is_same_v<To, std::complex<float>> || std::is_same_v<To, std::complex<double>>)
      return To(static_cast<typename To::value_type>(v.real()), static_cast<typename To::value_type>(v.imag()));
    else
      return convert_element<To>(v.real());
  } else if constexpr (std::is_same_v<To, std::complex<float>> || std::is_same_v<To, std::complex<double>>) {
    return To(convert_element<typename To::value_type>(v), 0);
  } else if constexpr (std::is_same_v<From, float16> || std::is_same_v<From, bfloat16>) {
    return convert_element<To>(static_cast<float>(v));
  } else if constexpr (std::is_same_v<To, bool>) {
    return v != From(0);
  } else if constexpr (std::is_same_v<To, float16> || std::is_same_v<To, bfloat16>) {
    return To(v);  // rounds once, whatever the source
  } else if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>) {
    if (v != v) return To(0);  // NOLINT(misc-redundant-expression): true for NaN
    // The bounds are powers of two, so the comparisons are exact in any float type.
    constexpr From limit =
        static_cast<From>(std::is_signed_v<To> ? (1ull << (8 * sizeof(To) - 2)) : (1ull << (8 * sizeof(To) - 1))) *
        From(2);
    if (v >= limit)
      return static_cast<To>(std::is_signed_v<To> ? (~0ull >> (65 - 8 * sizeof(To)))
                                                  : (~0ull >> (64 - 8 * sizeof(To))));
    if constexpr (std::is_signed_v<To>) {
      if (v < -limit) return static_cast<To>(To(1) << (8 * sizeof(To) - 1));
    } else {
      if (v <= From(-1)) return To(0);
    }
    return static_cast<To>(v);
  } else {
    return static_cast<To>(v);
  }
}

}  // namespace weft
