// Binary operations, comparisons and clamp made of basic arithmetic.
#include "weft/cpu/kernels/isa/loops.h"
#include "weft/cpu/kernels/isa/tables.h"

namespace weft::cpu::WEFT_ISA {
namespace {

template <class T>
inline constexpr bool is_int = std::is_integral_v<T>;

// Operations on integers wrap; unsigned arithmetic says so.
struct Add : SameResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE T apply(T a, T b) {
    if constexpr (is_int<T>)
      return static_cast<T>(static_cast<Unsigned<T>>(a) + static_cast<Unsigned<T>>(b));
    else
      return a + b;
  }
};
struct Subtract : SameResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE T apply(T a, T b) {
    if constexpr (is_int<T>)
      return static_cast<T>(static_cast<Unsigned<T>>(a) - static_cast<Unsigned<T>>(b));
    else
      return a - b;
  }
};
struct Multiply : SameResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE T apply(T a, T b) {
    // Promotion would make small unsigned products signed.
    if constexpr (is_int<T>)
      return static_cast<T>(static_cast<std::common_type_t<Unsigned<T>, unsigned>>(a) *
                            static_cast<std::common_type_t<Unsigned<T>, unsigned>>(b));
    else
      return a * b;
  }
};
// Integer quotients. 32-bit ones go through doubles, exactly: the quotient of such integers is further from the
// next whole number than the division's rounding.
template <class T>
WEFT_INLINE T quotient(T a, T b) {
  using U = Unsigned<T>;
  if constexpr (sizeof(T) <= 4) {
    const double d = static_cast<double>(b == 0 ? T(1) : b);
    const double q = static_cast<double>(a) / d;
    const T r = static_cast<T>(static_cast<std::int64_t>(q));  // 2^31 wraps to INT_MIN
    return b == 0 ? static_cast<T>(~U(0)) : r;
  } else {
    const bool zero = b == 0, minus_one = std::is_signed_v<T> && b == static_cast<T>(-1);
    const T q = a / (zero || minus_one ? T(1) : b);
    const T r = minus_one ? static_cast<T>(U(0) - static_cast<U>(a)) : q;
    return zero ? static_cast<T>(~U(0)) : r;
  }
}
struct Divide : SameResult {
  static constexpr float kCost = 0.5f;
  template <class T>
  WEFT_INLINE T apply(T a, T b) {
    if constexpr (is_int<T>)
      return quotient(a, b);
    else
      return a / b;
  }
};
struct Remainder : SameResult {
  static constexpr float kCost = 1.5f;
  template <class T>
  WEFT_INLINE T apply(T a, T b) {
    if constexpr (is_int<T>) {
      using U = Unsigned<T>;
      const T q = b == 0 ? T(0) : quotient(a, b);
      return static_cast<T>(static_cast<U>(a) - static_cast<U>(static_cast<U>(q) * static_cast<U>(b)));
    } else if constexpr (std::is_same_v<T, float>) {
      // Below 2^20 the quotient in double truncates correctly and the product is exact.
      const double x = a, y = b, q = x / y;
      if (__builtin_fabs(q) < 1048576.0) [[likely]]
        return copy_sign(static_cast<float>(__builtin_fabs(q) < 1.0 ? x : x - round_to_zero(q) * y),
                         a);  // y may be infinite
      return __builtin_fmodf(a, b);
    } else {
      return __builtin_fmod(a, b);
    }
  }
};
struct Maximum : SameResult {
  static constexpr float kCost = 0.05f;
  template <class T>
  WEFT_INLINE T apply(T a, T b) {
    return maximum(a, b);
  }
};
struct Minimum : SameResult {
  static constexpr float kCost = 0.05f;
  template <class T>
  WEFT_INLINE T apply(T a, T b) {
    return minimum(a, b);
  }
};
struct And : SameResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE T apply(T a, T b) {
    return static_cast<T>(a & b);
  }
};
struct Or : SameResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE T apply(T a, T b) {
    return static_cast<T>(a | b);
  }
};
struct Xor : SameResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE T apply(T a, T b) {
    return static_cast<T>(a ^ b);
  }
};
struct ShiftLeft : SameResult {
  static constexpr float kCost = 0.1f;
  template <class T>
  WEFT_INLINE T apply(T a, T b) {
    using U = Unsigned<T>;
    constexpr U width = 8 * sizeof(T);
    const U n = static_cast<U>(b);
    const U r = static_cast<U>(static_cast<U>(a) << (n & (width - 1)));
    return static_cast<T>(n < width ? r : U(0));
  }
};
struct ShiftRightLogical : SameResult {
  static constexpr float kCost = 0.1f;
  template <class T>
  WEFT_INLINE T apply(T a, T b) {
    using U = Unsigned<T>;
    constexpr U width = 8 * sizeof(T);
    const U n = static_cast<U>(b);
    const U r = static_cast<U>(static_cast<U>(a) >> (n & (width - 1)));
    return static_cast<T>(n < width ? r : U(0));
  }
};
struct ShiftRightArithmetic : SameResult {
  static constexpr float kCost = 0.1f;
  template <class T>
  WEFT_INLINE T apply(T a, T b) {
    using U = Unsigned<T>;
    using S = std::make_signed_t<T>;
    constexpr U width = 8 * sizeof(T);
    const U n = static_cast<U>(b);
    return static_cast<T>(static_cast<S>(a) >> (n < width ? n : U(width - 1)));
  }
};

struct Eq : BoolResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE Bool apply(T a, T b) {
    return {static_cast<std::uint8_t>(a == b)};
  }
};
struct Ne : BoolResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE Bool apply(T a, T b) {
    return {static_cast<std::uint8_t>(a != b)};
  }
};
struct Lt : BoolResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE Bool apply(T a, T b) {
    return {static_cast<std::uint8_t>(a < b)};
  }
};
struct Le : BoolResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE Bool apply(T a, T b) {
    return {static_cast<std::uint8_t>(a <= b)};
  }
};
struct Gt : BoolResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE Bool apply(T a, T b) {
    return {static_cast<std::uint8_t>(a > b)};
  }
};
struct Ge : BoolResult {
  static constexpr float kCost = 0;
  template <class T>
  WEFT_INLINE Bool apply(T a, T b) {
    return {static_cast<std::uint8_t>(a >= b)};
  }
};

struct Clamp {
  template <class T>
  WEFT_INLINE T apply(T lo, T x, T hi) {
    return minimum(maximum(x, lo), hi);
  }
};

template <class T>
const ElementwiseKernel* real(BinaryOp op) {
  switch (op) {
    case BinaryOp::kAdd: return &kBinary<Add, T>;
    case BinaryOp::kSubtract: return &kBinary<Subtract, T>;
    case BinaryOp::kMultiply: return &kBinary<Multiply, T>;
    case BinaryOp::kDivide: return &kBinary<Divide, T>;
    case BinaryOp::kRemainder: return &kBinary<Remainder, T>;
    case BinaryOp::kMaximum: return &kBinary<Maximum, T>;
    case BinaryOp::kMinimum: return &kBinary<Minimum, T>;
    default: return nullptr;
  }
}

template <class T>
const ElementwiseKernel* integer(BinaryOp op) {
  using U = Unsigned<T>;  // where the sign makes no difference to the bits
  switch (op) {
    case BinaryOp::kAdd: return &kBinary<Add, U>;
    case BinaryOp::kSubtract: return &kBinary<Subtract, U>;
    case BinaryOp::kMultiply: return &kBinary<Multiply, U>;
    case BinaryOp::kDivide: return &kBinary<Divide, T>;
    case BinaryOp::kRemainder: return &kBinary<Remainder, T>;
    case BinaryOp::kMaximum: return &kBinary<Maximum, T>;
    case BinaryOp::kMinimum: return &kBinary<Minimum, T>;
    case BinaryOp::kAnd: return &kBinary<And, U>;
    case BinaryOp::kOr: return &kBinary<Or, U>;
    case BinaryOp::kXor: return &kBinary<Xor, U>;
    case BinaryOp::kShiftLeft: return &kBinary<ShiftLeft, U>;
    case BinaryOp::kShiftRightLogical: return &kBinary<ShiftRightLogical, U>;
    case BinaryOp::kShiftRightArithmetic: return &kBinary<ShiftRightArithmetic, T>;
    default: return nullptr;
  }
}

// bool is one byte, 0 or 1, so the loops of u8 serve it: sum and product are or and and.
const ElementwiseKernel* boolean_op(BinaryOp op) {
  using B = std::uint8_t;
  switch (op) {
    case BinaryOp::kAdd:
    case BinaryOp::kMaximum:
    case BinaryOp::kOr: return &kBinary<Or, B>;
    case BinaryOp::kMultiply:
    case BinaryOp::kMinimum:
    case BinaryOp::kAnd: return &kBinary<And, B>;
    case BinaryOp::kXor: return &kBinary<Xor, B>;
    default: return nullptr;
  }
}

template <class T>
const ElementwiseKernel* comparison(CompareOp op) {
  switch (op) {
    case CompareOp::kEq: return &kBinary<Eq, T>;
    case CompareOp::kNe: return &kBinary<Ne, T>;
    case CompareOp::kLt: return &kBinary<Lt, T>;
    case CompareOp::kLe: return &kBinary<Le, T>;
    case CompareOp::kGt: return &kBinary<Gt, T>;
    case CompareOp::kGe: return &kBinary<Ge, T>;
  }
  return nullptr;
}

template <class T>
inline constexpr ElementwiseKernel kClamp = make_ternary<Clamp, T, T, T>();
template <class T>
inline constexpr ElementwiseKernel kSmallClamp = {
    small_float_loop<T, ternary_loop<Clamp, float, float, float>, 3, false>, 3, {2, 2, 2}, 2, 1.0f};

}  // namespace

const ElementwiseKernel* binary_float(BinaryOp op, DType t) {
  switch (t) {
    case DType::kF16: return real<Half>(op);
    case DType::kBF16: return real<Brain>(op);
    case DType::kF32: return real<float>(op);
    case DType::kF64: return real<double>(op);
    default: return nullptr;
  }
}

const ElementwiseKernel* binary_integer(BinaryOp op, DType t) {
  switch (t) {
    case DType::kBool: return boolean_op(op);
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

const ElementwiseKernel* compare(CompareOp op, DType t) {
  switch (t) {
    case DType::kBool:
    case DType::kU8: return comparison<std::uint8_t>(op);
    case DType::kI8: return comparison<std::int8_t>(op);
    case DType::kI16: return comparison<std::int16_t>(op);
    case DType::kI32: return comparison<std::int32_t>(op);
    case DType::kI64: return comparison<std::int64_t>(op);
    case DType::kU16: return comparison<std::uint16_t>(op);
    case DType::kU32: return comparison<std::uint32_t>(op);
    case DType::kU64: return comparison<std::uint64_t>(op);
    case DType::kF16: return comparison<Half>(op);
    case DType::kBF16: return comparison<Brain>(op);
    case DType::kF32: return comparison<float>(op);
    case DType::kF64: return comparison<double>(op);
    default: return nullptr;
  }
}

const ElementwiseKernel* clamp(DType t) {
  switch (t) {
    case DType::kI8: return &kClamp<std::int8_t>;
    case DType::kI16: return &kClamp<std::int16_t>;
    case DType::kI32: return &kClamp<std::int32_t>;
    case DType::kI64: return &kClamp<std::int64_t>;
    case DType::kU8: return &kClamp<std::uint8_t>;
    case DType::kU16: return &kClamp<std::uint16_t>;
    case DType::kU32: return &kClamp<std::uint32_t>;
    case DType::kU64: return &kClamp<std::uint64_t>;
    case DType::kF16: return &kSmallClamp<Half>;
    case DType::kBF16: return &kSmallClamp<Brain>;
    case DType::kF32: return &kClamp<float>;
    case DType::kF64: return &kClamp<double>;
    default: return nullptr;
  }
}

}  // namespace weft::cpu::WEFT_ISA
