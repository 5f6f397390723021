// Arithmetic of complex numbers, and their parts.
#include "weft/cpu/kernels/isa/loops.h"
#include "weft/cpu/kernels/isa/tables.h"

namespace weft::cpu::WEFT_ISA {
namespace {

template <class T>
struct Complex {
  T re, im;
};

template <class T>
struct PartOf;
template <class T>
struct PartOf<Complex<T>> {
  using type = T;
};
struct PartResult {
  template <class C>
  using Result = typename PartOf<C>::type;
};
struct ComplexResult {
  template <class T>
  using Result = Complex<T>;
};

struct Add : SameResult {
  static constexpr float kCost = 0.1f;
  template <class C>
  WEFT_INLINE C apply(C a, C b) {
    return {a.re + b.re, a.im + b.im};
  }
};
struct Subtract : SameResult {
  static constexpr float kCost = 0.1f;
  template <class C>
  WEFT_INLINE C apply(C a, C b) {
    return {a.re - b.re, a.im - b.im};
  }
};
// A product that is rounded before it is added: g++ 12 makes fmaddsub of complex products, -ffp-contract=off or not.
template <class T>
WEFT_INLINE T rounded(T product) {
#if defined(__clang__)
  return product;
#else
  return __builtin_assoc_barrier(product);
#endif
}
struct Multiply : SameResult {
  static constexpr float kCost = 0.3f;
  template <class C>
  WEFT_INLINE C apply(C a, C b) {
    return {rounded(a.re * b.re) - rounded(a.im * b.im), rounded(a.re * b.im) + rounded(a.im * b.re)};
  }
};
struct Square : SameResult {
  static constexpr float kCost = 0.3f;
  template <class C>
  WEFT_INLINE C apply(C a) {
    // As the reference evaluation: no difference of squares that are infinite.
    const auto ab = rounded(a.re * a.im);
    const bool equal = (absolute(a.re) == absolute(a.im)) & (a.re - a.re == 0);
    return {equal ? 0 : (a.re - a.im) * (a.re + a.im), ab + ab};
  }
};
struct Negate : SameResult {
  static constexpr float kCost = 0.1f;
  template <class C>
  WEFT_INLINE C apply(C a) {
    return {-a.re, -a.im};
  }
};
struct Conj : SameResult {
  static constexpr float kCost = 0.1f;
  template <class C>
  WEFT_INLINE C apply(C a) {
    return {a.re, -a.im};
  }
};
struct Real : PartResult {
  static constexpr float kCost = 0.1f;
  template <class C>
  WEFT_INLINE auto apply(C a) {
    return a.re;
  }
};
struct Imag : PartResult {
  static constexpr float kCost = 0.1f;
  template <class C>
  WEFT_INLINE auto apply(C a) {
    return a.im;
  }
};
struct FromParts : ComplexResult {
  static constexpr float kCost = 0.1f;
  template <class T>
  WEFT_INLINE Complex<T> apply(T re, T im) {
    return {re, im};
  }
};
struct Eq : BoolResult {
  static constexpr float kCost = 0.1f;
  template <class C>
  WEFT_INLINE Bool apply(C a, C b) {
    return {static_cast<std::uint8_t>((a.re == b.re) & (a.im == b.im))};
  }
};
struct Ne : BoolResult {
  static constexpr float kCost = 0.1f;
  template <class C>
  WEFT_INLINE Bool apply(C a, C b) {
    return {static_cast<std::uint8_t>((a.re != b.re) | (a.im != b.im))};
  }
};

template <class T>
const ElementwiseKernel* unary(OpCode op) {
  switch (op) {
    case OpCode::kConj: return &kUnary<Conj, Complex<T>>;
    case OpCode::kImag: return &kUnary<Imag, Complex<T>>;
    case OpCode::kNegate: return &kUnary<Negate, Complex<T>>;
    case OpCode::kReal: return &kUnary<Real, Complex<T>>;
    case OpCode::kSquare: return &kUnary<Square, Complex<T>>;
    default: return nullptr;
  }
}
template <class T>
const ElementwiseKernel* binary(OpCode op) {
  switch (op) {
    case OpCode::kAdd: return &kBinary<Add, Complex<T>>;
    case OpCode::kMultiply: return &kBinary<Multiply, Complex<T>>;
    case OpCode::kSubtract: return &kBinary<Subtract, Complex<T>>;
    default: return nullptr;
  }
}

}  // namespace

const ElementwiseKernel* unary_complex(OpCode op, DType t) {
  if (t == DType::kC64) return unary<float>(op);
  return t == DType::kC128 ? unary<double>(op) : nullptr;
}

const ElementwiseKernel* binary_complex(OpCode op, DType t) {
  switch (t) {
    case DType::kF32: return op == OpCode::kComplex ? &kBinary<FromParts, float> : nullptr;
    case DType::kF64: return op == OpCode::kComplex ? &kBinary<FromParts, double> : nullptr;
    case DType::kC64: return binary<float>(op);
    case DType::kC128: return binary<double>(op);
    default: return nullptr;
  }
}

const ElementwiseKernel* compare_complex(CompareOp op, DType t) {
  if (op != CompareOp::kEq && op != CompareOp::kNe) return nullptr;
  const bool eq = op == CompareOp::kEq;
  if (t == DType::kC64) return eq ? &kBinary<Eq, Complex<float>> : &kBinary<Ne, Complex<float>>;
  if (t == DType::kC128) return eq ? &kBinary<Eq, Complex<double>> : &kBinary<Ne, Complex<double>>;
  return nullptr;
}

}  // namespace weft::cpu::WEFT_ISA
