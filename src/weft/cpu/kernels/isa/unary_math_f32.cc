// Transcendental functions of f32, and of f16 and bf16 through it.
#include "weft/cpu/kernels/isa/loops.h"
#include "weft/cpu/kernels/isa/math_f32.h"
#include "weft/cpu/kernels/isa/tables.h"

namespace weft::cpu::WEFT_ISA {
namespace {

// A function of double as one of float.
template <class F>
struct Narrowed : SameResult {
  static constexpr float kCost = F::kCost;
  template <class T>
  WEFT_INLINE float apply(T x) {
    return static_cast<float>(F::apply(static_cast<double>(x)));
  }
};
struct ErfInv : SameResult {
  static constexpr float kCost = math::ErfInv::kCost;
  template <class T>
  WEFT_INLINE float apply(T x) {
    return math::ErfInv::apply(x);
  }
};

// sin and cos go block by block: one far argument sends its block to the C library.
template <class F>
void trigonometric_loop(const char* const* in, unsigned scalar, char* out, std::int64_t n) {
  const float* x = reinterpret_cast<const float*>(in[0]);
  float* o = reinterpret_cast<float*>(out);
  if (scalar) {
    const float v = absolute(*x) < math::kTrigLimit ? static_cast<float>(F::apply(*x)) : F::exact(*x);
    for (std::int64_t i = 0; i < n; ++i) o[i] = v;
    return;
  }
  constexpr std::int64_t kBlock = 512;
  for (std::int64_t begin = 0; begin < n; begin += kBlock) {
    const std::int64_t end = begin + kBlock < n ? begin + kBlock : n;
    int far = 0;
    for (std::int64_t i = begin; i < end; ++i) far |= !(absolute(x[i]) < math::kTrigLimit);
    if (far) {
      for (std::int64_t i = begin; i < end; ++i)
        o[i] = absolute(x[i]) < math::kTrigLimit ? static_cast<float>(F::apply(static_cast<double>(x[i])))
                                                 : F::exact(x[i]);
    } else {
      WEFT_INDEPENDENT
      for (std::int64_t i = begin; i < end; ++i) o[i] = static_cast<float>(F::apply(static_cast<double>(x[i])));
    }
  }
}
template <class F>
inline constexpr ElementwiseKernel kTrigonometric{
    .loop = trigonometric_loop<F>, .operands = 1, .in_bytes = {4, 0, 0}, .out_bytes = 4, .cost = F::kCost};

template <class T>
const ElementwiseKernel* common(UnaryOp op) {
  switch (op) {
    case UnaryOp::kExponential: return &kUnary<Narrowed<math::Exponential>, T>;
    case UnaryOp::kExponentialMinusOne: return &kUnary<Narrowed<math::ExponentialMinusOne>, T>;
    case UnaryOp::kLog: return &kUnary<Narrowed<math::Log>, T>;
    case UnaryOp::kLogPlusOne: return &kUnary<Narrowed<math::LogPlusOne>, T>;
    case UnaryOp::kLogistic: return &kUnary<Narrowed<math::Logistic>, T>;
    case UnaryOp::kTanh: return &kUnary<Narrowed<math::Tanh>, T>;
    case UnaryOp::kSinh: return &kUnary<Narrowed<math::Sinh>, T>;
    case UnaryOp::kCosh: return &kUnary<Narrowed<math::Cosh>, T>;
    case UnaryOp::kErf: return &kUnary<Narrowed<math::Erf>, T>;
    case UnaryOp::kErfc: return &kUnary<Narrowed<math::Erfc>, T>;
    case UnaryOp::kErfInv: return &kUnary<ErfInv, T>;
    default: return nullptr;
  }
}

}  // namespace

const ElementwiseKernel* unary_math_f32(UnaryOp op) {
  if (op == UnaryOp::kSine) return &kTrigonometric<math::Sine>;
  if (op == UnaryOp::kCosine) return &kTrigonometric<math::Cosine>;
  return common<float>(op);
}

const ElementwiseKernel* unary_math_small(UnaryOp op, DType t) {
  if (t == DType::kF16) return common<Half>(op);
  return t == DType::kBF16 ? common<Brain>(op) : nullptr;
}

}  // namespace weft::cpu::WEFT_ISA
