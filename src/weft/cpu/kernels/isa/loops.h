// Loops over runs of elements, one per operation and type, and the descriptors that the lookup returns.
// Invariant: a loop reads element i of its inputs before it writes element i, so in-place use is safe.
#pragma once

#include "weft/cpu/kernels/kernel.h"
#include "weft/cpu/math/scalar.h"
#include "weft/ir/dtype.h"

// Tells the compiler that iterations are independent; true also when the output is one of the inputs.
#if defined(__clang__)
#define WEFT_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define WEFT_INDEPENDENT _Pragma("GCC ivdep")
#endif

namespace weft::cpu::WEFT_ISA {

template <class T>
WEFT_INLINE T pick(const T* p, std::int64_t i) {
  return p[i];
}

template <class F, class In, class Out>
void unary_loop(const char* const* in, unsigned scalar, char* out, std::int64_t n) {
  const In* x = reinterpret_cast<const In*>(in[0]);
  Out* o = reinterpret_cast<Out*>(out);
  if (scalar) {
    const Out v = F::apply(*x);
    WEFT_INDEPENDENT
    for (std::int64_t i = 0; i < n; ++i) o[i] = v;
    return;
  }
  WEFT_INDEPENDENT
  for (std::int64_t i = 0; i < n; ++i) o[i] = F::apply(x[i]);
}

template <class F, class In, class Out>
void binary_loop(const char* const* in, unsigned scalar, char* out, std::int64_t n) {
  const In* a = reinterpret_cast<const In*>(in[0]);
  const In* b = reinterpret_cast<const In*>(in[1]);
  Out* o = reinterpret_cast<Out*>(out);
  if (scalar == 0) {
    WEFT_INDEPENDENT
    for (std::int64_t i = 0; i < n; ++i) o[i] = F::apply(a[i], b[i]);
  } else if (scalar == 1) {
    const In s = *a;
    WEFT_INDEPENDENT
    for (std::int64_t i = 0; i < n; ++i) o[i] = F::apply(s, b[i]);
  } else if (scalar == 2) {
    const In s = *b;
    WEFT_INDEPENDENT
    for (std::int64_t i = 0; i < n; ++i) o[i] = F::apply(a[i], s);
  } else {
    const Out v = F::apply(*a, *b);
    WEFT_INDEPENDENT
    for (std::int64_t i = 0; i < n; ++i) o[i] = v;
  }
}

// The same for functions with many selects: of one that does not vary the compiler makes a branch, and the loop scalar.
// One value is spread over a short array, so only the dense loop is compiled.
template <class F, class In, class Out>
void spread_binary_loop(const char* const* in, unsigned scalar, char* out, std::int64_t n) {
  constexpr std::int64_t kChunk = 256;
  alignas(64) In spread[2][kChunk];
  const In* x[2] = {reinterpret_cast<const In*>(in[0]), reinterpret_cast<const In*>(in[1])};
  Out* o = reinterpret_cast<Out*>(out);
  for (unsigned k = 0; k < 2; ++k)
    if (scalar >> k & 1u)
      for (std::int64_t i = 0; i < (n < kChunk ? n : kChunk); ++i) spread[k][i] = *x[k];
  for (std::int64_t begin = 0; begin < n; begin += kChunk) {
    const std::int64_t m = n - begin < kChunk ? n - begin : kChunk;
    const In* a = scalar & 1u ? spread[0] : x[0] + begin;
    const In* b = scalar & 2u ? spread[1] : x[1] + begin;
    WEFT_INDEPENDENT
    for (std::int64_t i = 0; i < m; ++i) o[begin + i] = F::apply(a[i], b[i]);
  }
}

// Three operands of types A, B, B. One value is spread over a short array, so only the dense loop is compiled.
template <class F, class A, class B, class Out>
void ternary_loop(const char* const* in, unsigned scalar, char* out, std::int64_t n) {
  constexpr std::int64_t kChunk = 256;
  alignas(64) A a_spread[kChunk];
  alignas(64) B b_spread[kChunk], c_spread[kChunk];
  const A* a = reinterpret_cast<const A*>(in[0]);
  const B* b = reinterpret_cast<const B*>(in[1]);
  const B* c = reinterpret_cast<const B*>(in[2]);
  Out* o = reinterpret_cast<Out*>(out);
  if (scalar) {
    const std::int64_t m = n < kChunk ? n : kChunk;
    if (scalar & 1u)
      for (std::int64_t i = 0; i < m; ++i) a_spread[i] = *a;
    if (scalar & 2u)
      for (std::int64_t i = 0; i < m; ++i) b_spread[i] = *b;
    if (scalar & 4u)
      for (std::int64_t i = 0; i < m; ++i) c_spread[i] = *c;
  }
  for (std::int64_t begin = 0; begin < n; begin += kChunk) {
    const std::int64_t m = n - begin < kChunk ? n - begin : kChunk;
    const A* pa = scalar & 1u ? a_spread : a + begin;
    const B* pb = scalar & 2u ? b_spread : b + begin;
    const B* pc = scalar & 4u ? c_spread : c + begin;
    Out* po = o + begin;
    WEFT_INDEPENDENT
    for (std::int64_t i = 0; i < m; ++i) po[i] = F::apply(pa[i], pb[i], pc[i]);
  }
}

template <class T>
[[gnu::noinline]] void widen(const T* in, float* out, std::int64_t n) {
  WEFT_INDEPENDENT
  for (std::int64_t i = 0; i < n; ++i) out[i] = to_float(in[i]);
}
template <class T>
[[gnu::noinline]] void narrow(const float* in, T* out, std::int64_t n) {
  WEFT_INDEPENDENT
  for (std::int64_t i = 0; i < n; ++i) out[i] = small_from<T>(in[i]);
}

// A loop over small floats: the f32 loop between conversions, on pieces that stay in the first-level cache.
template <class T, ElementwiseLoop kLoop, int kOperands, bool kBoolResult>
void small_float_loop(const char* const* in, unsigned scalar, char* out, std::int64_t n) {
  constexpr std::int64_t kChunk = 512;
  alignas(64) float buffers[kOperands + 1][kChunk];
  const char* inputs[kOperands];
  for (int k = 0; k < kOperands; ++k) {
    inputs[k] = reinterpret_cast<const char*>(buffers[k]);
    if (scalar >> k & 1u) buffers[k][0] = to_float(*reinterpret_cast<const T*>(in[k]));
  }
  for (std::int64_t begin = 0; begin < n; begin += kChunk) {
    const std::int64_t m = n - begin < kChunk ? n - begin : kChunk;
    for (int k = 0; k < kOperands; ++k)
      if (!(scalar >> k & 1u)) widen(reinterpret_cast<const T*>(in[k]) + begin, buffers[k], m);
    if constexpr (kBoolResult) {
      kLoop(inputs, scalar, out + begin, m);
    } else {
      kLoop(inputs, scalar, reinterpret_cast<char*>(buffers[kOperands]), m);
      narrow(buffers[kOperands], reinterpret_cast<T*>(out) + begin, m);
    }
  }
}

// Nanoseconds for moving one element's bytes.
constexpr float move_cost(int bytes) { return 0.02f * static_cast<float>(bytes); }
constexpr std::uint8_t size_u8(std::size_t n) { return static_cast<std::uint8_t>(n); }

// `F::kCost` is the arithmetic's cost for a float; F::Result<T> is the element type of the result.
template <class F, class T>
constexpr ElementwiseKernel make_unary() {
  using Out = typename F::template Result<T>;
  if constexpr (is_small_float<T>)
    return {small_float_loop<T, unary_loop<F, float, typename F::template Result<float>>, 1, std::is_same_v<Out, Bool>>,
            1,
            {sizeof(T)},
            sizeof(Out),
            F::kCost + 0.5f};
  else
    return {unary_loop<F, T, Out>,
            1,
            {sizeof(T)},
            sizeof(Out),
            F::kCost * (sizeof(T) == 8 ? 2 : 1) + move_cost(sizeof(T) + sizeof(Out))};
}
// The loop that F asks for.
template <class F, class In, class Out>
constexpr ElementwiseLoop binary_loop_of() {
  if constexpr (requires { F::kSpreadsScalars; })
    return spread_binary_loop<F, In, Out>;
  else
    return binary_loop<F, In, Out>;
}
template <class F, class T>
constexpr ElementwiseKernel make_binary() {
  using Out = typename F::template Result<T>;
  if constexpr (is_small_float<T>)
    return {small_float_loop<T, binary_loop_of<F, float, typename F::template Result<float>>(), 2,
                             std::is_same_v<Out, Bool>>,
            2,
            {sizeof(T), sizeof(T)},
            sizeof(Out),
            F::kCost + 0.7f};
  else
    return {binary_loop_of<F, T, Out>(),
            2,
            {sizeof(T), sizeof(T)},
            sizeof(Out),
            F::kCost * (sizeof(T) == 8 ? 2 : 1) + move_cost(2 * sizeof(T) + sizeof(Out))};
}
template <class F, class A, class B, class Out>
constexpr ElementwiseKernel make_ternary() {
  return {ternary_loop<F, A, B, Out>,
          3,
          {sizeof(A), sizeof(B), sizeof(B)},
          sizeof(Out),
          0.1f + move_cost(sizeof(A) + 2 * sizeof(B) + sizeof(Out))};
}

template <class F, class T>
inline constexpr ElementwiseKernel kUnary = make_unary<F, T>();
template <class F, class T>
inline constexpr ElementwiseKernel kBinary = make_binary<F, T>();
template <class F, class A, class B, class Out>
inline constexpr ElementwiseKernel kTernary = make_ternary<F, A, B, Out>();

// ---- from a dtype to its element type ----

/// f(TypeTag<T>{}) for the integer T that `t` names; null for other dtypes.
template <class F>
auto for_integer(DType t, F f) -> decltype(f(TypeTag<std::int8_t>{})) {
  switch (t) {
    case DType::kI8: return f(TypeTag<std::int8_t>{});
    case DType::kI16: return f(TypeTag<std::int16_t>{});
    case DType::kI32: return f(TypeTag<std::int32_t>{});
    case DType::kI64: return f(TypeTag<std::int64_t>{});
    case DType::kU8: return f(TypeTag<std::uint8_t>{});
    case DType::kU16: return f(TypeTag<std::uint16_t>{});
    case DType::kU32: return f(TypeTag<std::uint32_t>{});
    case DType::kU64: return f(TypeTag<std::uint64_t>{});
    default: return nullptr;
  }
}
/// The same for floats, the small ones as they are stored.
template <class F>
auto for_float(DType t, F f) -> decltype(f(TypeTag<float>{})) {
  switch (t) {
    case DType::kF16: return f(TypeTag<Half>{});
    case DType::kBF16: return f(TypeTag<Brain>{});
    case DType::kF32: return f(TypeTag<float>{});
    case DType::kF64: return f(TypeTag<double>{});
    default: return nullptr;
  }
}
/// The same for the floats that reductions compute in.
template <class F>
auto for_wide_float(DType t, F f) -> decltype(f(TypeTag<float>{})) {
  if (t == DType::kF32) return f(TypeTag<float>{});
  return t == DType::kF64 ? f(TypeTag<double>{}) : nullptr;
}

}  // namespace weft::cpu::WEFT_ISA
