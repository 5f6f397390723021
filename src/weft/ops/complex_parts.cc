// Real and imaginary parts, the conjugate, and complex numbers from parts: linear over the reals.
// Cotangents follow JAX: they pair with tangents as Re(sum ct t), without conjugation, so the
// gradient of a real loss by x + iy is df/dx - i df/dy. Floats count as complex with imaginary part 0.
#include "weft/ops/elementwise.h"

namespace weft {

using namespace ops;

namespace {

template <OpCode kOp>
void infer_part(const ParamsBase*, std::span<const Aval> in, Avals& out) {
  infer_elementwise(kOp, in, kInexact, out);
  out.back() = out.back().with_dtype(real_dtype(in[0].dtype()));
}

// Part 0 is the real, 1 the imaginary one.
template <int kPart>
void eval_part(const ParamsBase*, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const std::int64_t n = out[0].size(), size = byte_size(out[0].dtype());
  if (is_complex(in[0].dtype())) {
    for (std::int64_t i = 0; i < n; ++i) copy_element(in[0].data, 2 * i + kPart, out[0].data, i, size);
  } else if (n > 0) {
    if constexpr (kPart == 0)
      __builtin_memcpy(out[0].data, in[0].data, static_cast<std::size_t>(n * size));
    else
      __builtin_memset(out[0].data, 0, static_cast<std::size_t>(n * size));
  }
}

}  // namespace

// Re x: Re t; transposed: ct + 0i
Array lax::real(const Arg& x) { return unary(OpCode::kReal, x); }
const ir::OpInfo op_infos::real{.infer = infer_part<OpCode::kReal>, .eval = eval_part<0>, .elementwise = true};
const OpRules op_rule_table::real{
    .jvp = jvp_linear,
    .transpose =
        [](const Call&, std::span<const Array> cts, std::span<GradAccum* const> accums) {
          const bool complex = is_complex(accums[0]->aval().dtype());
          accums[0]->add(complex ? lax::complex(cts[0], zeros_of(cts[0].aval())) : cts[0]);
        },
    .batch = batch_elementwise,
    .factors = factors_elementwise};

// Im x: Im t; transposed: 0 - ct i
Array lax::imag(const Arg& x) { return unary(OpCode::kImag, x); }
const ir::OpInfo op_infos::imag{.infer = infer_part<OpCode::kImag>, .eval = eval_part<1>, .elementwise = true};
const OpRules op_rule_table::imag{.jvp = jvp_linear,
                                  .transpose =
                                      [](const Call&, std::span<const Array> cts, std::span<GradAccum* const> accums) {
                                        if (is_complex(accums[0]->aval().dtype()))
                                          accums[0]->add(lax::complex(zeros_of(cts[0].aval()), lax::negate(cts[0])));
                                      },
                                  .batch = batch_elementwise,
                                  .factors = factors_elementwise};

// conj x: conj t; transposed: conj ct
Array lax::conj(const Arg& x) { return unary(OpCode::kConj, x); }
const ir::OpInfo op_infos::conj = unary_info<OpCode::kConj, kInexact>([](auto x) {
  if constexpr (is_complex_v<decltype(x)>)
    return std::conj(x);
  else
    return x;
});
const OpRules op_rule_table::conj{
    .jvp = jvp_linear,
    .transpose = [](const Call&, std::span<const Array> cts,
                    std::span<GradAccum* const> accums) { accums[0]->add(lax::conj(cts[0])); },
    .batch = batch_elementwise,
    .factors = factors_elementwise};

// x + i y: t_x + i t_y; transposed: Re ct and -Im ct
namespace {
void infer_complex(const ParamsBase*, std::span<const Aval> in, Avals& out) {
  infer_elementwise(OpCode::kComplex, in, kAcceptFloat, out);
  if (in[0].dtype() != f32 && in[0].dtype() != f64) throw_dtype("complex", "f32 or f64", in);
  out.back() = out.back().with_dtype(complex_dtype(in[0].dtype()));
}
void eval_complex(const ParamsBase*, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const std::int64_t size = byte_size(in[0].dtype());
  for (std::int64_t n = out[0].size(), i = 0; i < n; ++i) {
    copy_element(in[0].data, i, out[0].data, 2 * i, size);
    copy_element(in[1].data, i, out[0].data, 2 * i + 1, size);
  }
}
}  // namespace
Array lax::complex(const Arg& re, const Arg& im) { return binary(OpCode::kComplex, re, im); }
const ir::OpInfo op_infos::complex{
    .operands = ir::takes(2), .infer = infer_complex, .eval = eval_complex, .elementwise = true};
const OpRules op_rule_table::complex{
    .jvp = jvp_multilinear,
    .transpose =
        [](const Call&, std::span<const Array> cts, std::span<GradAccum* const> accums) {
          if (accums[0]) accums[0]->add(lax::real(cts[0]));
          if (accums[1]) accums[1]->add(lax::negate(lax::imag(cts[0])));
        },
    .batch = batch_elementwise,
    .factors = factors_elementwise};

}  // namespace weft
