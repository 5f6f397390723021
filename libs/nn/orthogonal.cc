#include "nn/orthogonal.h"

#include <tuple>

#include "weft/weft.h"

namespace weft::nn {

Array orthonormal_columns(const Array& a) {
  const DType t = a.dtype();
  const std::int64_t m = a.shape()[0], n = a.shape()[1];
  const Array rows = np::arange(m);
  const auto column = [](const Array& x, const Array& j) { return np::take(x, j, 1); };
  const auto outer = [](const Array& u, const Array& v) { return u(slice(), newaxis) * v(newaxis, slice()); };
  const Array zero = np::zeros({}, t), one = np::ones({}, t), two = np::full({}, 2, t);

  // Reflection j takes what column j has below the diagonal away: I - 2 v v^T.
  struct Reduced {
    Array r, vs, signs;
  };
  const auto reduce = [&](const Array& j, Reduced s) {
    const Array x = np::where(rows >= j, column(s.r, j), zero);
    const Array at_j = np::sum(np::where(rows == j, x, zero)), norm = np::sqrt(np::sum(x * x));
    const Array diagonal = np::where(at_j < 0, norm, -norm);
    Array v = np::where(rows == j, x - diagonal, x);
    const Array length = np::sqrt(np::sum(v * v));
    v = v / np::where(length == 0, one, length);
    s.r = s.r - outer(two * v, np::matmul(v, s.r));
    const Array here = np::arange(n) == j;
    s.vs = np::where(here(newaxis, slice()), v(slice(), newaxis), s.vs);
    s.signs = np::where(here, np::where(diagonal < 0, -one, one), s.signs);
    return s;
  };
  const Reduced reduced = fori_loop(0, n, reduce, Reduced{a, np::zeros({m, n}, t), np::ones({n}, t)});
  const auto apply = [&](const Array& i, Array q) {
    const Array v = column(reduced.vs, np::array(n - 1, i.dtype()) - i);
    return q - outer(two * v, np::matmul(v, q));
  };
  const Array q = fori_loop(0, n, apply, np::eye(m, n, 0, t));
  return q * reduced.signs(newaxis, slice());
}

}  // namespace weft::nn
