#include "optim/contrib_muon.h"

#include <cmath>

#include "weft/base/text.h"
#include "weft/weft.h"

namespace weft::optim::contrib {

using detail::cast_like;

namespace {

// An array as matrices [batch, in, out], and back.
struct Matrices {
  std::vector<int> order;  // batch axes, reduction axes, output axes
  Dims moved;              // the sizes in this order
  std::int64_t batch = 1, in = 1, out = 1;

  Matrices(DimSpan shape, const MuonDimensionNumbers& axes) {
    const int ndim = static_cast<int>(shape.size());
    if (ndim < 2)
      throw ShapeError("muon: a matrix must have two axes or more; got a parameter with " +
                       count_str(ndim, "axis", "axes") + ".");
    std::vector<int> use(shape.size(), 0);
    const auto normalized = [&](const std::vector<int>& list) {
      std::vector<int> r;
      for (const int axis : list) {
        if (axis < -ndim || axis >= ndim)
          throw IndexError("muon: axes must be those of the parameter; got " + std::to_string(axis) + " of " +
                           count_str(ndim, "axis", "axes") + ".");
        r.push_back(axis < 0 ? axis + ndim : axis);
        if (use[static_cast<std::size_t>(r.back())]++)
          throw ValueError("muon: reduction and output axes must differ; got axis " + std::to_string(axis) + " twice.");
      }
      return r;
    };
    const std::vector<int> reduction = normalized(axes.reduction_axes), output = normalized(axes.output_axes);
    const auto append = [&](int axis, std::int64_t& size) {
      order.push_back(axis);
      moved.push_back(shape[static_cast<std::size_t>(axis)]);
      size *= moved.back();
    };
    for (int axis = 0; axis < ndim; ++axis)
      if (!use[static_cast<std::size_t>(axis)]) append(axis, batch);
    for (const int axis : reduction) append(axis, in);
    for (const int axis : output) append(axis, out);
  }
  Array of(const Array& x) const { return np::reshape(np::transpose(x, order), {batch, in, out}); }
  Array back(const Array& m) const {
    std::vector<int> inverse(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) inverse[static_cast<std::size_t>(order[i])] = static_cast<int>(i);
    return np::transpose(np::reshape(m, moved), inverse);
  }
};

// The axes of a leaf that must be a matrix.
const MuonDimensionNumbers& axes_of(const std::optional<MuonDimensionNumbers>& axes) {
  if (!axes) throw ValueError("muon: every leaf must have dimension numbers; got none for one.", "mask it out");
  return *axes;
}

void check_newton_schulz(const detail::Require& check, const std::string& coefficients_name,
                         const NewtonSchulzCoefficients& coefficients, const char* steps_name, int steps) {
  if (coefficients.empty()) check.fail(coefficients_name + " must have a triple", "none");
  check.at_least(steps_name, steps, 1);
}

}  // namespace

Array orthogonalize_via_newton_schulz(const Array& x, NewtonSchulzOptions o, SourceLocation loc) {
  const detail::Require check("orthogonalize_via_newton_schulz", loc);
  check_newton_schulz(check, "coefficients", o.coefficients, "steps", o.steps);
  check.floating("dtype", o.dtype);
  if (o.dtype && is_complex(x.dtype()))
    check.fail("dtype must be left out for complex matrices", std::string(name(*o.dtype)));
  const Matrices matrices(x.shape(), o.dimensions);
  const auto adjoint = [](const Array& m) { return np::conj(np::matrix_transpose(m)); };
  Array m = matrices.of(x);
  // f(X^T) = f(X)^T, so that the products are of the smaller size.
  const bool tall = matrices.in > matrices.out;
  if (tall) m = np::matrix_transpose(m);
  // Singular values of 1 at most, where the iteration converges.
  const Array size = np::sqrt(np::sum(detail::abs_squared(m), {1, 2}, true));
  m = (m / detail::plus(size, o.eps)).astype(o.dtype.value_or(x.dtype()));
  const bool one = o.coefficients.size() == 1;
  const std::size_t steps = one ? static_cast<std::size_t>(o.steps) : o.coefficients.size();
  for (std::size_t i = 0; i < steps; ++i) {
    const auto& [a, b, c] = o.coefficients[one ? 0 : i];
    const Array square = np::matmul(m, adjoint(m));
    m = a * m + np::matmul(b * square + c * np::matmul(square, square), m);
  }
  return matrices.back(tall ? np::matrix_transpose(m) : m).astype(x.dtype());
}

ScaleByMuon scale_by_muon(ScaleByMuonOptions options, SourceLocation loc) {
  const detail::Require check("scale_by_muon", loc);
  check_newton_schulz(check, "ns_coeffs", options.ns_coeffs, "ns_steps", options.ns_steps);
  check.decay("beta", options.beta).not_negative("eps", options.eps).floating("mu_dtype", options.mu_dtype);
  check.floating("ns_dtype", options.ns_dtype);
  return {std::move(options)};
}

void ScaleByMuon::step(Leaves& u, Leaves& mu, const Array& count,
                       const std::vector<std::optional<MuonDimensionNumbers>>& dimensions) const {
  const detail::Numerator numerator(options.beta, options.nesterov, count, detail::precision(u));
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Array m = detail::averaged(mu[i], u[i], options.beta);
    mu[i] = cast_like(m, mu[i]);
    const Array direction = numerator(m, u[i]);
    u[i] = orthogonalize_via_newton_schulz(direction, {.coefficients = options.ns_coeffs,
                                                       .steps = options.ns_steps,
                                                       .eps = options.eps,
                                                       .dimensions = axes_of(dimensions[i]),
                                                       .dtype = options.ns_dtype});
    if (options.adaptive) u[i] = detail::times(u[i], detail::inner_product({direction}, {u[i]}));
  }
}

ScaleByShape scale_by_shape(ScaleByShape options, SourceLocation loc) {
  const detail::Require check("scale_by_shape", loc);
  if (options.consistent_rms) check.not_negative("consistent_rms", *options.consistent_rms);
  return options;
}

void ScaleByShape::step(Leaves& u, const std::vector<std::optional<MuonDimensionNumbers>>& dimensions) const {
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Matrices m(u[i].shape(), axes_of(dimensions[i]));
    const auto in = static_cast<double>(m.in), out = static_cast<double>(m.out);
    u[i] = consistent_rms ? detail::scaled(u[i] * std::sqrt(std::max(in, out)), *consistent_rms)
                          : u[i] * std::sqrt(std::max(1.0, out / in));
  }
}

std::optional<MuonDimensionNumbers> two_axes(const std::string&, const Array& leaf) {
  if (leaf.ndim() != 2) return std::nullopt;
  return MuonDimensionNumbers();
}

Muon muon(ScalarOrSchedule learning_rate, MuonOptions o, SourceLocation loc) {
  const detail::Require check("muon", loc);
  check.decay("adam_b1", o.adam_b1).decay("adam_b2", o.adam_b2).not_negative("adam_eps_root", o.adam_eps_root);
  check.number("adam_weight_decay", o.adam_weight_decay);
  const MuonDimensions& axes = o.muon_weight_dimension_numbers;
  return partition(
      axes.mapped<std::string>([](const auto& own) { return std::string(own ? "muon" : "adam"); }),
      group("muon", chain(scale_by_muon({.ns_coeffs = std::move(o.ns_coeffs),
                                         .ns_steps = o.ns_steps,
                                         .beta = std::move(o.beta),
                                         .eps = o.eps,
                                         .mu_dtype = o.mu_dtype,
                                         .ns_dtype = o.ns_dtype,
                                         .nesterov = o.nesterov,
                                         .adaptive = o.adaptive,
                                         .dimensions = axes}),
                          scale_by_shape({.dimensions = axes, .consistent_rms = std::move(o.consistent_rms)}),
                          add_decayed_weights(std::move(o.weight_decay), std::move(o.weight_decay_mask)),
                          scale_by_learning_rate(learning_rate))),
      group("adam", adamw(learning_rate, {.b1 = std::move(o.adam_b1),
                                          .b2 = std::move(o.adam_b2),
                                          .eps = o.eps,
                                          .eps_root = std::move(o.adam_eps_root),
                                          .mu_dtype = o.mu_dtype,
                                          .weight_decay = std::move(o.adam_weight_decay),
                                          .nesterov = o.nesterov})));
}

}  // namespace weft::optim::contrib
