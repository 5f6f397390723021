#include "optim/polyak.h"

#include <limits>

#include "weft/weft.h"

namespace weft::optim {

using detail::Require;

OnTrees<ScaleByPolyak> scale_by_polyak(ScaleByPolyak options, SourceLocation loc) {
  const Require check("scale_by_polyak", loc);
  check.number("f_min", options.f_min).positive("max_learning_rate", options.max_learning_rate);
  check.not_negative("eps", options.eps);
  return {std::move(options)};
}

void ScaleByPolyak::update(Leaves& u, const Leaves&, const Extra<Leaves>& extra) const {
  const Array square = detail::squared_norm(u);
  const DType t = square.dtype();
  Array gap = detail::loss_of(kName, extra.value, t) - f_min.in(t);
  if (variant == PolyakVariant::kSpsPlus) gap = np::maximum(gap, 0);
  const Array divisor = detail::plus(square, eps);
  const Array none = divisor <= std::numeric_limits<double>::epsilon();
  const Array step = np::minimum(gap / np::where(none, np::ones_like(divisor), divisor), max_learning_rate.in(t));
  u = detail::scale_all(u, np::where(none, np::zeros_like(step), step));
}

namespace detail {

Array loss_of(const char* what, const Array& value, DType dtype) {
  if (!value.defined())
    throw ValueError("update: extra.value must be the loss, which " + std::string(what) + " reads; got none.",
                     "opt.update(gradient, state, params, {.value = loss})");
  if (value.ndim() != 0) throw ShapeError("update: extra.value must be one number; got " + value.aval().str() + ".");
  return value.astype(dtype);
}

}  // namespace detail

}  // namespace weft::optim
