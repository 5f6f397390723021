#include "optim/projections.h"

#include "weft/weft.h"

namespace weft::optim::detail {

void check_size(const char* what, const Hyperparam& scale, const SourceLocation& loc) {
  const Require check(what, loc);
  check.positive("scale", scale);
}

Leaves project_interval(const Leaves& x, const Hyperparam& lower, const Hyperparam& upper) {
  Leaves r;
  for (const Array& v : x) r.push_back(np::clip(v, lower.in(v.dtype()), upper.in(v.dtype())));
  return r;
}

Leaves project_box(const Leaves& x, const Leaves& lower, const Leaves& upper) {
  Leaves r;
  for (std::size_t i = 0; i < x.size(); ++i)
    r.push_back(np::clip(x[i], cast_like(lower[i], x[i]), cast_like(upper[i], x[i])));
  return r;
}

Leaves project_simplex(const Leaves& x, const Hyperparam& scale) {
  const auto [flat, unravel] = ravel(x);
  if (flat.size() == 0) return x;
  const DType t = precision({flat});
  const Array unit = flat.astype(t) / scale.in(t);
  // Relative to the largest, which changes nothing.
  const Array down = unit - lax::stop_gradient(np::max(unit));
  return unravel(cast_like(scaled(np::maximum(down - simplex_threshold(down), 0), scale), flat));
}

Leaves project_l1_sphere(const Leaves& x, const Hyperparam& scale) {
  Leaves sizes;
  for (const Array& v : x) sizes.push_back(np::abs(v));
  Leaves r = project_simplex(sizes, scale);
  for (std::size_t i = 0; i < x.size(); ++i) r[i] = np::where(x[i] < 0, -r[i], r[i]);
  return r;
}

Leaves project_l1_ball(const Leaves& x, const Hyperparam& scale) {
  Leaves sizes;
  for (const Array& v : x) sizes.push_back(np::abs(v));
  const Array size = total(sizes);
  return choose(size <= scale.in(size.dtype()), x, project_l1_sphere(x, scale));
}

Leaves project_l2_sphere(const Leaves& x, const Hyperparam& scale) {
  const Array size = norm(x);
  return scale_all(x, scale.in(size.dtype()) / size);
}

Leaves project_l2_ball(const Leaves& x, const Hyperparam& scale) {
  const Array square = squared_norm(x), bound = scale.in(square.dtype());
  return scale_all(x, bound / np::sqrt(np::maximum(square, np::square(bound))));
}

Leaves project_vector(const Leaves& x, const Leaves& a) {
  return cast_like(scale_all(a, inner_product(x, a) / squared_norm(a)), x);
}

Leaves project_hyperplane(const Leaves& x, const Leaves& a, const Hyperparam& b, bool half) {
  const Array product = inner_product(x, a);
  const Array step = (b.in(product.dtype()) - product) / squared_norm(a).astype(product.dtype());
  return add_scaled(x, half ? np::minimum(step, 0) : step, a);
}

}  // namespace weft::optim::detail
