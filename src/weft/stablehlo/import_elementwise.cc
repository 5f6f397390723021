// Operations of StableHLO that are almost one of Weft's: comparisons in the weak order, powers of two, products of
// two types.
#include <algorithm>
#include <cmath>

#include "weft/np/promotion.h"
#include "weft/np/ufuncs.h"
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

void Importer::exp2(const Op& op, Operands operands, Results& results) {
  need_operands(op, 1);
  give(op, np::exp2(single(op, operands, 0)), results);
}

void Importer::log2(const Op& op, Operands operands, Results& results) {
  need_operands(op, 1);
  give(op, np::log2(single(op, operands, 0)), results);
}

// ---- products ----

void widen_if_mixed(Arrays& factors, DType result) {
  const auto same = [&](const Array& x) { return x.dtype() == factors[0].dtype(); };
  const auto whole = [](const Array& x) { return category(x.dtype()) <= Category::kInteger; };
  if (std::ranges::all_of(factors, same)) return;
  DType wide = compute_dtype(result);
  // Integers wrap, so those of the result's width are enough.
  if (category(wide) > Category::kInteger || !std::ranges::all_of(factors, whole))
    for (const Array& x : factors) wide = np::promote_types(wide, compute_dtype(x.dtype()));
  for (Array& x : factors) x = lax::convert(x, wide);
}

// dot_general and convolution.
void Importer::product_of_two_types(const Op& op, Operands operands, Results& results) {
  need_operands(op, 2);
  Arrays factors = tensors(op, operands);
  widen_if_mixed(factors, result(op).dtype());
  const Arrays each[] = {{factors[0]}, {factors[1]}};
  apply_row(op, *operation_named(op.name), each, results);
}

}  // namespace weft::stablehlo
