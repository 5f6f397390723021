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
const ElementwiseKernel* real(OpCode op) {
  switch (op) {
    case OpCode::kAdd: return &kBinary<Add, T>;
    case OpCode::kSubtract: return &kBinary<Subtract, T>;
    case OpCode::kMultiply: return &kBinary<Multiply, T>;
    case OpCode::kDivide: return &kBinary<Divide, T>;
    case OpCode::kRemainder: return &kBinary<Remainder, T>;
    case OpCode::kMaximum: return &kBinary<Maximum, T>;
    case OpCode::kMinimum: return &kBinary<Minimum, T>;
    default: return nullptr;
  }
}

template <class T>
const ElementwiseKernel* integer(OpCode op) {
  using U = Unsigned<T>;  // where the sign makes no difference to the bits
  switch (op) {
    case OpCode::kAdd: return &kBinary<Add, U>;
    case OpCode::kSubtract: return &kBinary<Subtract, U>;
    case OpCode::kMultiply: return &kBinary<Multiply, U>;
    case OpCode::kDivide: return &kBinary<Divide, T>;
    case OpCode::kRemainder: return &kBinary<Remainder, T>;
    case OpCode::kMaximum: return &kBinary<Maximum, T>;
    case OpCode::kMinimum: return &kBinary<Minimum, T>;
    case OpCode::kAnd: return &kBinary<And, U>;
    case OpCode::kOr: return &kBinary<Or, U>;
    case OpCode::kXor: return &kBinary<Xor, U>;
    case OpCode::kShiftLeft: return &kBinary<ShiftLeft, U>;
    case OpCode::kShiftRightLogical: return &kBinary<ShiftRightLogical, U>;
    case OpCode::kShiftRightArithmetic: return &kBinary<ShiftRightArithmetic, T>;
    default: return nullptr;
  }
}

// bool is one byte, 0 or 1, so the loops of u8 serve it: sum and product are or and and.
const ElementwiseKernel* boolean_op(OpCode op) {
  using B = std::uint8_t;
  switch (op) {
    case OpCode::kAdd:
    case OpCode::kMaximum:
    case OpCode::kOr: return &kBinary<Or, B>;
    case OpCode::kMultiply:
    case OpCode::kMinimum:
    case OpCode::kAnd: return &kBinary<And, B>;
    case OpCode::kXor: return &kBinary<Xor, B>;
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

const ElementwiseKernel* binary_float(OpCode op, DType t) {
  return for_float(t, [op]<class T>(TypeTag<T>) { return real<T>(op); });
}

const ElementwiseKernel* binary_integer(OpCode op, DType t) {
  if (t == DType::kBool) return boolean_op(op);
  return for_integer(t, [op]<class T>(TypeTag<T>) { return integer<T>(op); });
}

const ElementwiseKernel* compare(CompareOp op, DType t) {
  const auto find = [op]<class T>(TypeTag<T>) { return comparison<T>(op); };
  if (t == DType::kBool) return find(TypeTag<std::uint8_t>{});
  const ElementwiseKernel* k = for_integer(t, find);
  return k ? k : for_float(t, find);
}

const ElementwiseKernel* clamp(DType t) {
  const auto find = []<class T>(TypeTag<T>) -> const ElementwiseKernel* {
    if constexpr (is_small_float<T>)
      return &kSmallClamp<T>;
    else
      return &kClamp<T>;
  };
  const ElementwiseKernel* k = for_integer(t, find);
  return k ? k : for_float(t, find);
}

}  // namespace weft::cpu::WEFT_ISA
