// Every function of functions.def with C linkage, under the names of bitcode.h. Compiled by clang to LLVM bitcode,
// never into the library.
#ifndef WEFT_ISA
#define WEFT_ISA bitcode
#endif
#define WEFT_TO_BITCODE

// Return types are deduced, for which C has no word.
#pragma clang diagnostic ignored "-Wreturn-type-c-linkage"

#include "weft/cpu/math/binary.h"
#include "weft/cpu/math/threefry.h"
#include "weft/cpu/math/transcendental.h"
#include "weft/cpu/math/unary.h"

namespace weft::cpu::WEFT_ISA {
namespace {

// How an element is passed: small floats and bool as their bits.
WEFT_INLINE std::uint8_t passed(Bool v) { return v.v; }
WEFT_INLINE std::uint16_t passed(Half v) { return v.bits; }
WEFT_INLINE std::uint16_t passed(Brain v) { return v.bits; }
template <class T>
WEFT_INLINE T passed(T v) {
  return v;
}
template <class T>
using Passed = decltype(passed(T{}));
template <class T>
WEFT_INLINE T received(Passed<T> v) {
  if constexpr (is_small_float<T> || std::is_same_v<T, Bool>)
    return {v};
  else
    return static_cast<T>(v);
}
// What is computed in: float for the small floats.
template <class T>
WEFT_INLINE auto widened(Passed<T> v) {
  if constexpr (is_small_float<T>)
    return to_float(received<T>(v));
  else
    return received<T>(v);
}

// F of elements of type T.
template <class F, class T, class... X>
WEFT_INLINE auto call(X... x) {
  const auto result = F::apply(widened<T>(x)...);
  if constexpr (is_small_float<T> && std::is_same_v<decltype(result), const float>)
    return passed(small_from<T>(result));
  else
    return passed(result);
}

}  // namespace

// X(name, type, ...) for each type of a group.
#define WEFT_FOR_INTEGERS(X, ...)    \
  X(i8, std::int8_t, __VA_ARGS__)    \
  X(i16, std::int16_t, __VA_ARGS__)  \
  X(i32, std::int32_t, __VA_ARGS__)  \
  X(i64, std::int64_t, __VA_ARGS__)  \
  X(u8, std::uint8_t, __VA_ARGS__)   \
  X(u16, std::uint16_t, __VA_ARGS__) \
  X(u32, std::uint32_t, __VA_ARGS__) \
  X(u64, std::uint64_t, __VA_ARGS__)
#define WEFT_FOR_F32(X, ...) X(f16, Half, __VA_ARGS__) X(bf16, Brain, __VA_ARGS__) X(f32, float, __VA_ARGS__)
#define WEFT_FOR_F64(X, ...) X(f64, double, __VA_ARGS__)
#define WEFT_FOR_FLOATS(X, ...) WEFT_FOR_F32(X, __VA_ARGS__) WEFT_FOR_F64(X, __VA_ARGS__)

#define WEFT_ONE(t, T, name, F) \
  extern "C" auto weft_##name##_##t(Passed<T> x) { return call<F, T>(x); }
#define WEFT_TWO(t, T, name, F) \
  extern "C" auto weft_##name##_##t(Passed<T> a, Passed<T> b) { return call<F, T>(a, b); }
#define WEFT_THREE(t, T, name, F) \
  extern "C" auto weft_##name##_##t(Passed<T> a, Passed<T> b, Passed<T> c) { return call<F, T>(a, b, c); }
#define WEFT_ONE_AS(t, T, name, F, As) \
  extern "C" T weft_##name##_##t(T x) { return static_cast<T>(call<F, As<T>>(x)); }
#define WEFT_TWO_AS(t, T, name, F, As) \
  extern "C" T weft_##name##_##t(T a, T b) { return static_cast<T>(call<F, As<T>>(a, b)); }
#define WEFT_PERIODIC(t, T, name, F)                              \
  extern "C" T weft_##name##_##t(T x) { return F::apply(x); }     \
  extern "C" T weft_##name##_##t##_far(T x) { return F::far(x); } \
  extern "C" std::uint8_t weft_##name##_##t##_is_far(T x) { return F::is_far(x); }

#define WEFT_UNARY_FLOAT(code, name, F) WEFT_FOR_FLOATS(WEFT_ONE, name, F)
#define WEFT_UNARY_F32(code, name, F) WEFT_FOR_F32(WEFT_ONE, name, F)
#define WEFT_UNARY_F64(code, name, F) WEFT_FOR_F64(WEFT_ONE, name, F)
#define WEFT_PERIODIC_F32(code, name, F) WEFT_PERIODIC(f32, float, name, F)
#define WEFT_PERIODIC_F64(code, name, F) WEFT_PERIODIC(f64, double, name, F)
#define WEFT_UNARY_INTEGER(code, name, F, As) WEFT_FOR_INTEGERS(WEFT_ONE_AS, name, F, As)
#define WEFT_UNARY_BOOL(code, name, F) WEFT_ONE(bool, Bool, name, F)
#define WEFT_BINARY_FLOAT(code, name, F) WEFT_FOR_FLOATS(WEFT_TWO, name, F)
#define WEFT_BINARY_F32(code, name, F) WEFT_FOR_F32(WEFT_TWO, name, F)
#define WEFT_BINARY_F64(code, name, F) WEFT_FOR_F64(WEFT_TWO, name, F)
#define WEFT_BINARY_INTEGER(code, name, F, As) WEFT_FOR_INTEGERS(WEFT_TWO_AS, name, F, As)
#define WEFT_BINARY_BOOL(code, name, F) WEFT_TWO(bool, std::uint8_t, name, F)
#define WEFT_COMPARE(code, name, F)               \
  WEFT_TWO(bool, std::uint8_t, compare_##name, F) \
  WEFT_FOR_INTEGERS(WEFT_TWO, compare_##name, F)  \
  WEFT_FOR_FLOATS(WEFT_TWO, compare_##name, F)
#include "weft/cpu/math/functions.def"

WEFT_FOR_INTEGERS(WEFT_THREE, clamp, Clamp)
WEFT_FOR_FLOATS(WEFT_THREE, clamp, Clamp)

#define WEFT_CONVERT(t, T, from, From) \
  extern "C" auto weft_convert_##from##_##t(Passed<From> x) { return passed(Convert<T>::apply(received<From>(x))); }
#define WEFT_CONVERT_FROM(from, From)         \
  WEFT_CONVERT(bool, Bool, from, From)        \
  WEFT_FOR_INTEGERS(WEFT_CONVERT, from, From) \
  WEFT_FOR_FLOATS(WEFT_CONVERT, from, From)
WEFT_CONVERT_FROM(bool, Bool)
WEFT_CONVERT_FROM(i8, std::int8_t)
WEFT_CONVERT_FROM(i16, std::int16_t)
WEFT_CONVERT_FROM(i32, std::int32_t)
WEFT_CONVERT_FROM(i64, std::int64_t)
WEFT_CONVERT_FROM(u8, std::uint8_t)
WEFT_CONVERT_FROM(u16, std::uint16_t)
WEFT_CONVERT_FROM(u32, std::uint32_t)
WEFT_CONVERT_FROM(u64, std::uint64_t)
WEFT_CONVERT_FROM(f16, Half)
WEFT_CONVERT_FROM(bf16, Brain)
WEFT_CONVERT_FROM(f32, float)
WEFT_CONVERT_FROM(f64, double)

// What stands for the intrinsic that multiply_add is here, on processors without such an instruction.
extern "C" float weft_multiply_add_f32(float a, float b, float c) {
  return float_math::multiply_add_in_double(a, b, c);
}

extern "C" std::uint32_t weft_threefry2x32_first_u32(std::uint32_t k0, std::uint32_t k1, std::uint32_t x0,
                                                     std::uint32_t x1) {
  return Threefry2x32::apply(k0, k1, x0, x1).x0;
}
extern "C" std::uint32_t weft_threefry2x32_second_u32(std::uint32_t k0, std::uint32_t k1, std::uint32_t x0,
                                                      std::uint32_t x1) {
  return Threefry2x32::apply(k0, k1, x0, x1).x1;
}

}  // namespace weft::cpu::WEFT_ISA
