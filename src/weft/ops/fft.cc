// fft: discrete Fourier transforms over the last axes, complex to complex, real to half a spectrum and back. Arrays
// here, lines in fourier.h.
#include <algorithm>

#include "weft/ops/fourier.h"
#include "weft/ops/wide.h"

namespace weft {

using namespace ops;

namespace {

using Complex = std::complex<double>;

std::string_view type_name(FftType t) { return enum_names(t)[static_cast<std::size_t>(t)]; }

// The elements of a real line's spectrum that are kept: the others are their conjugates.
std::int64_t half_spectrum(std::int64_t n) { return n == 0 ? 0 : n / 2 + 1; }

void infer_fft(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<FftParams>(params);
  const Aval x = in[0];
  const std::size_t axes = p.fft_length.size(), rank = x.shape().size();
  if (axes < 1 || axes > 3)
    throw ShapeError("fft: fft_length must have 1 to 3 entries; got " + shape_str(p.fft_length) + ".");
  if (rank < axes)
    throw ShapeError("fft: the operand must have an axis for each entry of fft_length; got " + shape_str(p.fft_length) +
                     " for " + x.str() + ".");
  const bool real_in = p.fft_type == FftType::kRfft, real_out = p.fft_type == FftType::kIrfft;
  if (real_in ? x.dtype() != f32 && x.dtype() != f64 : !is_complex(x.dtype()))
    throw_dtype("fft of type " + std::string(type_name(p.fft_type)), real_in ? "f32 or f64" : "complex", in);
  Dims want(p.fft_length), shape(x.shape());
  if (real_out && want.back() > 0) want.back() = half_spectrum(want.back());
  if (!same_dims(x.shape().subspan(rank - axes), want))
    throw ShapeError(
        "fft: the last axes must have " +
        std::string(real_out ? "the sizes of fft_length, the last one n / 2 + 1" : "the sizes of fft_length") +
        "; got fft_length " + shape_str(p.fft_length) + " for " + x.str() + ".");
  if (real_in) shape.back() = half_spectrum(shape.back());
  if (real_out) shape.back() = p.fft_length.back();
  const DType t = real_in ? complex_dtype(x.dtype()) : real_out ? real_dtype(x.dtype()) : x.dtype();
  out.push_back(Aval(t, shape, x.vary()));
}

// Every line along `axis` of an array of `shape`.
void transform_axis(std::vector<Complex>& x, DimSpan shape, std::size_t axis, bool inverse) {
  const std::int64_t n = shape[axis], stride = product(shape.subspan(axis + 1)), outer = product(shape.first(axis));
  FourierPlan plan(n);
  std::vector<Complex> line(static_cast<std::size_t>(n));
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t s = 0; s < stride; ++s) {
      Complex* first = x.data() + o * n * stride + s;
      for (std::int64_t i = 0; i < n; ++i) line[static_cast<std::size_t>(i)] = first[i * stride];
      inverse ? plan.inverse(line.data()) : plan.transform(line.data());
      for (std::int64_t i = 0; i < n; ++i) first[i * stride] = line[static_cast<std::size_t>(i)];
    }
}

// Rows of length `from` to rows of length `to`: cut, or completed to the spectrum of a real line.
std::vector<Complex> with_rows(const std::vector<Complex>& x, std::int64_t from, std::int64_t to) {
  const std::int64_t rows = static_cast<std::int64_t>(x.size()) / from;
  std::vector<Complex> y;
  y.reserve(static_cast<std::size_t>(rows * to));
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t i = 0; i < to; ++i)
      y.push_back(i < from ? x[static_cast<std::size_t>(row * from + i)]
                           : std::conj(x[static_cast<std::size_t>(row * from + to - i)]));
  return y;
}

// The transforms of real rows of a length that PrimeFourierPlan takes.
template <class T>
std::vector<Complex> prime_spectra(const TensorView& x) {
  const std::int64_t n = x.shape().back(), rows = x.size() / n, half = n / 2 + 1;
  PrimeFourierPlan<T> plan(n);
  std::vector<std::complex<T>> line(static_cast<std::size_t>(half));
  std::vector<Complex> y;
  y.reserve(static_cast<std::size_t>(rows * half));
  for (std::int64_t row = 0; row < rows; ++row) {
    plan.transform(x.as<T>() + row * n, line.data());
    y.insert(y.end(), line.begin(), line.end());
  }
  return y;
}

void eval_fft(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<FftParams>(params);
  if (out[0].size() == 0) return;
  std::vector<Complex> x;
  const std::size_t rank = in[0].shape().size(), first = rank - p.fft_length.size(), last = rank - 1;
  const bool inverse = p.fft_type == FftType::kIfft || p.fft_type == FftType::kIrfft;
  // The real side of the last axis comes first of a real transform, last of its inverse.
  if (p.fft_type == FftType::kRfft) {
    const std::int64_t n = in[0].shape()[last];
    if (PrimeFourierPlan<double>::takes(n)) {
      x = in[0].dtype() == f32 ? prime_spectra<float>(in[0]) : prime_spectra<double>(in[0]);
    } else {
      x = widened<Complex>(in[0]);
      transform_axis(x, in[0].shape(), last, false);
      x = with_rows(x, n, out[0].shape()[last]);
    }
    for (std::size_t axis = first; axis < last; ++axis) transform_axis(x, out[0].shape(), axis, false);
  } else {
    x = widened<Complex>(in[0]);
    for (std::size_t axis = first; axis < last; ++axis) transform_axis(x, in[0].shape(), axis, inverse);
    if (p.fft_type == FftType::kIrfft) x = with_rows(x, in[0].shape()[last], out[0].shape()[last]);
    transform_axis(x, out[0].shape(), last, inverse);
  }
  narrow(x, out[0]);
}

// Of the last axis of x, half the spectrum of a real line of `n`: `edge` where an element stands for itself alone (k =
// 0 and k = n / 2), `inner` where for its conjugate too.
Array weighted(const Array& x, std::int64_t n, double edge, double inner) {
  const Array k = lax::iota(i64, x.shape(), x.ndim() - 1);
  Array alone = lax::eq(k, 0);
  if (n % 2 == 0) alone = lax::or_(alone, lax::eq(k, n / 2));
  return lax::multiply(
      x, lax::select(alone, lax::full(x.shape(), edge, x.dtype()), lax::full(x.shape(), inner, x.dtype())));
}

// The matrix of FFT and IFFT is symmetric. RFFT: ct_x[j] = Re sum_k ct[k] e^(-i j k), half a spectrum whose inverse
// counts the inner elements twice. IRFFT: ct_x[k] = (1 or 2) / n sum_j ct[j] e^(+i j k).
void transpose_fft(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto& p = call.params_as<FftParams>();
  const auto n = static_cast<double>(product(p.fft_length));
  switch (p.fft_type) {
    case FftType::kFft:
    case FftType::kIfft: accums[0]->add(lax::fft(cts[0], p.fft_type, p.fft_length)); return;
    case FftType::kRfft:
      accums[0]->add(
          lax::fft(weighted(lax::conj(cts[0]), p.fft_length.back(), n, n / 2), FftType::kIrfft, p.fft_length));
      return;
    case FftType::kIrfft:
      if (n == 0) return;
      accums[0]->add(
          weighted(lax::conj(lax::fft(cts[0], FftType::kRfft, p.fft_length)), p.fft_length.back(), 1 / n, 2 / n));
      return;
  }
}

void batch_fft(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs, Bdims& out_bdims) {
  bind(call.op, call.params, Arrays{bdim_to_front(call.args[0], bdims[0], axis.size)}, outs);
  out_bdims.push_back(0);
}

FactorTable factors_fft(const ParamsBase* params, std::span<const Aval> in, std::span<const Aval> out) {
  using Kind = FactorTable::Kind;
  const std::size_t rank = in[0].shape().size(), first = rank - ir::params_as<FftParams>(params).fft_length.size();
  FactorTable table;
  FactorTable::Axes x, y;
  for (std::size_t i = 0; i < rank; ++i) {
    x.push_back({table.add(in[0].shape(i), i < first ? Kind::kPassThrough : Kind::kNeedReplication)});
    if (in[0].shape(i) == out[0].shape(i))
      y.push_back(x.back());
    else
      y.push_back({table.add(out[0].shape(i), Kind::kNeedReplication)});
  }
  table.operands.push_back(std::move(x));
  table.results.push_back(std::move(y));
  return table;
}

}  // namespace

Array lax::fft(const Arg& x, FftType fft_type, DimSpan fft_length) {
  const LocationScope scope(x.location(), "fft");
  return bind1(OpCode::kFft, ir::make_params(FftParams{fft_type, Dims(fft_length)}), {x.array()});
}

const ir::OpInfo op_infos::fft{.parse = ir::parse_params<FftParams>, .infer = infer_fft, .eval = eval_fft};
const OpRules op_rule_table::fft{
    .jvp = jvp_linear, .transpose = transpose_fft, .batch = batch_fft, .factors = factors_fft};

}  // namespace weft
