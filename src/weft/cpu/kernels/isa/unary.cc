// Unary operations made of basic arithmetic.
#include "weft/cpu/kernels/isa/loops.h"
#include "weft/cpu/kernels/isa/tables.h"

namespace weft::cpu::WEFT_ISA {
namespace {

struct Abs : SameResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE T apply(T x) {
    if constexpr (std::is_floating_point_v<T>)
      return absolute(x);
    else if constexpr (std::is_unsigned_v<T>)
      return x;
    else
      return x < 0 ? static_cast<T>(Unsigned<T>(0) - static_cast<Unsigned<T>>(x)) : x;
  }
};
struct Negate : SameResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE T apply(T x) {
    if constexpr (std::is_floating_point_v<T>)
      return -x;
    else
      return static_cast<T>(Unsigned<T>(0) - static_cast<Unsigned<T>>(x));
  }
};
struct Sign : SameResult {
  static constexpr float kCost = 0.05f;
  template <class T>
  WEFT_INLINE T apply(T x) {
    if constexpr (std::is_floating_point_v<T>) {
      const T one = copy_sign(T(1), x);
      const T r = x == T(0) ? x : one;
      return x != x ? x : r;
    } else if constexpr (std::is_unsigned_v<T>) {
      return static_cast<T>(x != 0);
    } else {
      return static_cast<T>(static_cast<T>(x > 0) - static_cast<T>(x < 0));
    }
  }
};
struct Floor : SameResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE T apply(T x) {
    return round_down(x);
  }
};
struct Ceil : SameResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE T apply(T x) {
    return round_up(x);
  }
};
struct RoundEven : SameResult {
  static constexpr float kCost = 0.05f;
  template <class T>
  WEFT_INLINE T apply(T x) {
    return round_even(x);
  }
};
struct RoundAway : SameResult {
  static constexpr float kCost = 0.05f;
  template <class T>
  WEFT_INLINE T apply(T x) {
    const T whole = round_to_zero(x);
    const T rest = absolute(x - whole);
    return copy_sign(absolute(whole) + (rest >= T(0.5) ? T(1) : T(0)), x);
  }
};
struct Sqrt : SameResult {
  static constexpr float kCost = 0.4f;
  template <class T>
  WEFT_INLINE T apply(T x) {
    return square_root(x);
  }
};
struct Rsqrt : SameResult {
  static constexpr float kCost = 0.8f;
  template <class T>
  WEFT_INLINE T apply(T x) {
    return T(1) / square_root(x);
  }
};
struct Square : SameResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE T apply(T x) {
    if constexpr (std::is_floating_point_v<T>)
      return x * x;
    else  // promotion would make small products signed
      return static_cast<T>(static_cast<std::common_type_t<T, unsigned>>(x) * x);
  }
};
struct IsFinite : BoolResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE Bool apply(T x) {
    return {static_cast<std::uint8_t>(absolute(x) < T(__builtin_inf()))};
  }
};
struct IsInf : BoolResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE Bool apply(T x) {
    return {static_cast<std::uint8_t>(absolute(x) == T(__builtin_inf()))};
  }
};
struct IsPosInf : BoolResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE Bool apply(T x) {
    return {static_cast<std::uint8_t>(x == T(__builtin_inf()))};
  }
};
struct IsNegInf : BoolResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE Bool apply(T x) {
    return {static_cast<std::uint8_t>(x == -T(__builtin_inf()))};
  }
};
struct Not : SameResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE T apply(T x) {
    if constexpr (std::is_same_v<T, Bool>)
      return {static_cast<std::uint8_t>(x.v ^ 1u)};
    else
      return static_cast<T>(~x);
  }
};
struct Popcnt : SameResult {
  static constexpr float kCost = 0.3f;
  template <class T>
  WEFT_INLINE T apply(T x) {
    // Counts in fields of 2, 4, then 8 bits; the product adds the bytes up into the top one.
    using U = Unsigned<T>;
    constexpr U ones = static_cast<U>(~U(0));
    U u = static_cast<U>(x);
    u = static_cast<U>(u - ((u >> 1) & U(ones / 3)));
    u = static_cast<U>((u & U(ones / 15 * 3)) + ((u >> 2) & U(ones / 15 * 3)));
    u = static_cast<U>((u + (u >> 4)) & U(ones / 255 * 15));
    return static_cast<T>(static_cast<U>(u * U(ones / 255)) >> (8 * sizeof(T) - 8));
  }
};
struct CountLeadingZeros : SameResult {
  static constexpr float kCost = 0.4f;
  template <class T>
  WEFT_INLINE T apply(T x) {
    using U = Unsigned<T>;
    U u = static_cast<U>(x);
    // Sets every bit below the highest one; what is left clear are the leading zeros.
    for (unsigned s = 1; s < 8 * sizeof(T); s *= 2) u = static_cast<U>(u | (u >> s));
    return Popcnt::apply(static_cast<T>(static_cast<U>(~u)));
  }
};

template <class T>
const ElementwiseKernel* real(UnaryOp op) {
  switch (op) {
    case UnaryOp::kAbs: return &kUnary<Abs, T>;
    case UnaryOp::kNegate: return &kUnary<Negate, T>;
    case UnaryOp::kSign: return &kUnary<Sign, T>;
    case UnaryOp::kFloor: return &kUnary<Floor, T>;
    case UnaryOp::kCeil: return &kUnary<Ceil, T>;
    case UnaryOp::kRoundNearestEven: return &kUnary<RoundEven, T>;
    case UnaryOp::kRoundNearestAfz: return &kUnary<RoundAway, T>;
    case UnaryOp::kSqrt: return &kUnary<Sqrt, T>;
    case UnaryOp::kRsqrt: return &kUnary<Rsqrt, T>;
    case UnaryOp::kSquare: return &kUnary<Square, T>;
    case UnaryOp::kIsFinite: return &kUnary<IsFinite, T>;
    case UnaryOp::kIsInf: return &kUnary<IsInf, T>;
    case UnaryOp::kIsPosInf: return &kUnary<IsPosInf, T>;
    case UnaryOp::kIsNegInf: return &kUnary<IsNegInf, T>;
    default: return nullptr;
  }
}

template <class T>
const ElementwiseKernel* integer(UnaryOp op) {
  using U = Unsigned<T>;  // where the sign makes no difference to the bits
  switch (op) {
    case UnaryOp::kAbs: return &kUnary<Abs, T>;
    case UnaryOp::kNegate: return &kUnary<Negate, U>;
    case UnaryOp::kSign: return &kUnary<Sign, T>;
    case UnaryOp::kSquare: return &kUnary<Square, U>;
    case UnaryOp::kNot: return &kUnary<Not, U>;
    case UnaryOp::kPopcnt: return &kUnary<Popcnt, U>;
    case UnaryOp::kCountLeadingZeros: return &kUnary<CountLeadingZeros, U>;
    default: return nullptr;
  }
}

}  // namespace

const ElementwiseKernel* unary_float(UnaryOp op, DType t) {
  switch (t) {
    case DType::kF16: return real<Half>(op);
    case DType::kBF16: return real<Brain>(op);
    case DType::kF32: return real<float>(op);
    case DType::kF64: return real<double>(op);
    default: return nullptr;
  }
}

const ElementwiseKernel* unary_integer(UnaryOp op, DType t) {
  switch (t) {
    case DType::kBool: return op == UnaryOp::kNot ? &kUnary<Not, Bool> : nullptr;
    case DType::kI8: return integer<std::int8_t>(op);
    case DType::kI16: return integer<std::int16_t>(op);
    case DType::kI32: return integer<std::int32_t>(op);
    case DType::kI64: return integer<std::int64_t>(op);
    case DType::kU8: return integer<std::uint8_t>(op);
    case DType::kU16: return integer<std::uint16_t>(op);
    case DType::kU32: return integer<std::uint32_t>(op);
    case DType::kU64: return integer<std::uint64_t>(op);
    default: return nullptr;
  }
}

}  // namespace weft::cpu::WEFT_ISA
