// Operations of StableHLO that are almost one of Weft's: comparisons in the weak order, powers of two, products of
// small floats of two types.
#include <algorithm>
#include <cmath>

#include "weft/stablehlo/importer.h"

namespace weft::stablehlo {

// The weak order is the total one of numbers in which the zeros are one and the NaNs are, which come last.
Array in_weak_order(const Array& x) {
  if (!is_float(x.dtype())) return x;
  const auto fill = [&](double v) { return lax::full(x.shape(), Scalar(v), x.dtype()); };
  return lax::select(lax::ne(x, x), fill(std::nan("")), lax::select(lax::eq(x, fill(0)), fill(0), x));
}

void Importer::compare(const Op& op, Operands operands, Results& results) {
  const Operation& row = *operation_named(op.name);
  if (!read_comparison(reader(op)).weak_order) return apply_row(op, row, operands, results);
  SmallVector<Arrays, 4> ordered;
  for (const Arrays& list : operands) {
    Arrays& to = ordered.emplace_back();
    for (const Array& x : list) to.push_back(in_weak_order(x));
  }
  apply_row(op, row, ordered, results);
}

// ---- exp2, log2 ----

namespace {
constexpr double kLn2 = 0.693147180559945309417;
}  // namespace

// power(2, x) is exact at whole numbers, unlike exp(x ln 2).
void Importer::exp2(const Op& op, Operands operands, Results& results) {
  need_operands(op, 1);
  const Array x = single(op, operands, 0);
  give(op, is_complex(x.dtype()) ? lax::exponential(lax::multiply(x, kLn2)) : lax::power(2.0, x), results);
}

// log(x) / ln 2, which may be a few units off; at a power of two its whole neighbour is the logarithm itself. What is
// added there does not depend on x, so derivatives are those of the logarithm.
void Importer::log2(const Op& op, Operands operands, Results& results) {
  need_operands(op, 1);
  const Array x = single(op, operands, 0);
  const Array y = lax::multiply(lax::log(x), 1 / kLn2);
  if (is_complex(x.dtype())) return give(op, y, results);
  const Array whole = lax::round_nearest_even(y);
  // Not of infinities, which differ by no number.
  const Array off = lax::and_(lax::eq(lax::power(2.0, whole), x), lax::ne(whole, y));
  const Array none = lax::full(y.shape(), Scalar(0), y.dtype());
  give(op, lax::add(y, lax::stop_gradient(lax::select(off, lax::subtract(whole, y), none))), results);
}

// ---- products ----

void widen_if_mixed(Arrays& factors) {
  const auto small = [](const Array& x) {
    return is_float(x.dtype()) && is_storage(x.dtype()) && bit_width(x.dtype()) == 8;
  };
  const auto same = [&](const Array& x) { return x.dtype() == factors[0].dtype(); };
  if (!std::ranges::all_of(factors, small) || std::ranges::all_of(factors, same)) return;
  for (Array& x : factors) x = lax::convert(x, f32);
}

// dot_general and convolution.
void Importer::product_of_floats(const Op& op, Operands operands, Results& results) {
  need_operands(op, 2);
  Arrays factors = tensors(op, operands);
  widen_if_mixed(factors);
  const Arrays each[] = {{factors[0]}, {factors[1]}};
  apply_row(op, *operation_named(op.name), each, results);
}

}  // namespace weft::stablehlo
