// cumprod, cummax, cummin, cumlogsumexp: prefixes in a tree of depth log n, of operations that have all derivatives (so
// do these, whatever the elements: cumprod never divides). Where several elements are the largest, they share the
// derivative of cummax as those of lax::maximum do, pair by pair.
#include "weft/ops/common.h"
#include "weft/ops/prefixes.h"

namespace weft {

using namespace ops;

namespace {

using Combine = Array (*)(const Array& a, const Array& b);

Array cumulative(const char* op, const Arg& arg, int axis, bool reverse, Combine combine) {
  const LocationScope scope(arg.location(), op);
  const Array x = arg.array();
  const int at = normal_axis(op, axis, x.aval());
  Dims to_front{at}, back;
  for (int i = 0; i < x.ndim(); ++i) {
    if (i != at) to_front.push_back(i);
    back.push_back(i == at ? 0 : i < at ? i + 1 : i);
  }
  const auto moved = [&](const Array& a, const Dims& order) { return at == 0 ? a : lax::transpose(a, order); };
  const auto turned = [&](const Array& a) { return reverse ? lax::reverse(a, Dims{0}) : a; };
  const Array front = turned(moved(x, to_front));
  const auto rows_of = [&](std::span<const Array> a, std::span<const Array> b, Arrays& outs) {
    outs.push_back(combine(a[0], b[0]));
  };
  return moved(turned(prefixes(rows_of, Arrays{front}, front.shape()[0])[0]), back);
}

Array times(const Array& a, const Array& b) { return lax::multiply(a, b); }
Array larger(const Array& a, const Array& b) { return lax::maximum(a, b); }
Array smaller(const Array& a, const Array& b) { return lax::minimum(a, b); }

// log(exp(a) + exp(b)) = m + log(exp(a - m) + exp(b - m)), for any m: the larger one, as a constant. Where that is
// infinite, so is the result, and its derivatives are those of max(a, b).
Array log_sum(const Array& a, const Array& b) {
  const Array most = lax::maximum(a, b), finite = lax::is_finite(most), zero = zeros_of(most.aval());
  const auto inside = [&](const Array& x) { return lax::select(finite, x, zero); };
  const Array m = inside(lax::stop_gradient(most));
  const auto scaled = [&](const Array& x) { return lax::exponential(lax::subtract(inside(x), m)); };
  return lax::select(finite, lax::add(lax::log(lax::add(scaled(a), scaled(b))), m), most);
}

void check_dtype(const char* op, const char* allowed, const Arg& x, bool ok) {
  if (ok) return;
  const LocationScope scope(x.location(), op);
  throw DTypeError(std::string(op) + ": the operand must be " + allowed + "; got " + x.array().aval().str() + ".");
}

}  // namespace

Array lax::cumprod(const Arg& x, int axis, bool reverse) {
  const DType t = x.array().dtype();
  check_dtype("cumprod", "integer, float or complex", x, is_integer(t) || is_inexact(t));
  return cumulative("cumprod", x, axis, reverse, times);
}
Array lax::cummax(const Arg& x, int axis, bool reverse) {
  const DType t = x.array().dtype();
  check_dtype("cummax", "integer or float", x, is_integer(t) || is_float(t));
  return cumulative("cummax", x, axis, reverse, larger);
}
Array lax::cummin(const Arg& x, int axis, bool reverse) {
  const DType t = x.array().dtype();
  check_dtype("cummin", "integer or float", x, is_integer(t) || is_float(t));
  return cumulative("cummin", x, axis, reverse, smaller);
}
Array lax::cumlogsumexp(const Arg& x, int axis, bool reverse) {
  check_dtype("cumlogsumexp", "float", x, is_float(x.array().dtype()));
  return cumulative("cumlogsumexp", x, axis, reverse, log_sum);
}

}  // namespace weft
