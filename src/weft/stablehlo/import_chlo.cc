// Operations of CHLO, and MHLO's that have no successor, as what their dialects say they mean.
#include <cmath>
#include <limits>
#include <numeric>

#include "weft/stablehlo/importer.h"

namespace weft::stablehlo {

// chlo.cosh and chlo.sinh of real numbers, by the formulas that CHLO defines them to be lowered to: a program must
// compute what its producer saw, and these are some units in the last place from the true values, which lax gives.
void Importer::chlo_hyperbolic(const Op& op, Operands operands, Results& results) {
  const Array argument = single(op, operands, 0);
  const bool cosh = op.name == "chlo.cosh";
  const DType t = argument.dtype();
  if (!is_float(t)) return give(op, cosh ? lax::cosh(argument) : lax::sinh(argument), results);
  const Array x = byte_size(t) < 4 ? lax::convert(argument, f32) : argument;
  const double log_half = -0.693147180559945309417;
  const Array up = lax::exponential(lax::add(x, log_half));
  const Array down = lax::exponential(lax::add(lax::negate(x), log_half));
  Array y;
  if (cosh) {
    y = lax::add(up, down);
  } else {
    const Array e = lax::exponential_minus_one(x);
    const Array small = lax::multiply(lax::add(e, lax::divide(e, lax::add(e, 1.0))), 0.5);
    y = lax::select(lax::lt(lax::abs(x), 1.0), small, lax::subtract(up, down));
  }
  give(op, lax::convert(y, t), results);
}

// chlo.broadcast_<op>: operands are brought to the result's shape; the axes of one of lower rank are its last, or
// `broadcast_dimensions`.
void Importer::chlo_broadcast(const Op& op, Operands operands, Results& results) {
  const Aval result = this->result(op);
  const auto rank = static_cast<std::size_t>(result.ndim());
  Arrays args;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Array x = single(op, operands, i);
    const auto r = static_cast<std::size_t>(x.ndim());
    if (r > rank)
      fail(op,
           "an operand may not have more axes than the result; got " + x.aval().str() + " for " + result.str() + ".");
    if (same_dims(x.shape(), result.shape())) {
      args.push_back(x);
      continue;
    }
    Dims axes(r);
    std::iota(axes.begin(), axes.end(), static_cast<std::int64_t>(rank - r));
    if (r < rank && op.find("broadcast_dimensions")) axes = reader(op).dims("broadcast_dimensions");
    args.push_back(lax::broadcast_in_dim(x, result.shape(), axes));
  }
  const std::string base = op.name.substr(std::string_view("chlo.broadcast_").size());
  const Operation* row = operation_named("stablehlo." + base);
  if (!row) row = operation_named("chlo." + base);
  if (!row) refuse(op, std::string(reason_of_unknown(op.name)) + ".");
  ir::Avals in;
  for (const Array& a : args) in.push_back(a.aval());
  const ir::Params params =
      row->read ? row->read(AttributeReader(module_, op, in, std::span<const Aval>(&result, 1))) : ir::Params();
  give(op, bind_all(row->op, params, args), results);
}

// w with asin(z) = atan2(re z, re w) + i sign(im z) im w, and acos(z) alike. With v = |im asin(z)| and a = cosh(v),
// half the sum of the distances r and s of z from -1 and 1,
//   re w = sqrt(a^2 - x^2) = sqrt((a + x) (a - x)),   im w = v,   where z = +-x +- iy,
// and a - x is a sum of positive terms, by which nothing cancels (Hull, Fairgrieve & Tang, 1997).
void Importer::chlo_asin_acos_kernel(const Op& op, Operands operands, Results& results) {
  const Array z = single(op, operands, 0);
  if (!is_complex(z.dtype())) fail(op, "the operand must be complex; got " + z.aval().str() + ".");
  const Array x = lax::abs(lax::real(z)), y = lax::abs(lax::imag(z));
  const Array right = lax::add(x, 1.0), left = lax::subtract(x, 1.0);
  const Array r = lax::abs(lax::complex(right, y)), s = lax::abs(lax::complex(left, y));
  const Array a = lax::multiply(lax::add(r, s), 0.5), half = lax::multiply(lax::add(a, x), 0.5);
  // Within the unit interval s - (x - 1) is such a sum; beyond it y^2 / (s + (x - 1)) is the same number.
  const Array first = lax::add(r, right);
  const Array inner =
      lax::sqrt(lax::multiply(half, lax::add(lax::divide(lax::multiply(y, y), first), lax::subtract(s, left))));
  const Array outer =
      lax::multiply(y, lax::sqrt(lax::add(lax::divide(half, first), lax::divide(half, lax::add(s, left)))));
  // Far out a^2 = x^2 + y^2, whose squares would overflow.
  const double far = z.dtype() == c64 ? std::sqrt(static_cast<double>(std::numeric_limits<float>::max())) / 8
                                      : std::sqrt(std::numeric_limits<double>::max()) / 8;
  const Array near = lax::select(lax::le(x, 1.0), inner, outer);
  const Array re = lax::select(lax::ge(lax::maximum(x, y), far), y, near);
  give(op, lax::complex(re, lax::abs(lax::imag(lax::asin(z)))), results);
}

// The `k` largest along the last axis in descending order and their positions, or the smallest in ascending order.
void Importer::mhlo_topk(const Op& op, Operands operands, Results& results) {
  const AttributeReader from = reader(op);
  const Array x = single(op, operands, 0);
  const std::int64_t k = from.integer("k");
  if (from.boolean("largest", true)) {
    const auto [values, positions] = lax::top_k(x, k);
    return give(op, Arrays{values, positions}, results);
  }
  if (x.ndim() == 0 || k < 0 || k > x.shape().back())
    fail(op, "k must be in [0, size of the last axis]; got " + std::to_string(k) + " for " + x.aval().str() + ".");
  const Array pair[] = {x, lax::iota(i32, x.shape(), x.ndim() - 1)};
  const Arrays sorted = lax::sort(pair, x.ndim() - 1);
  Dims limit(x.shape());
  limit.back() = k;
  Arrays outs;
  for (const Array& all : sorted) outs.push_back(lax::slice(all, Dims(limit.size(), 0), limit));
  give(op, outs, results);
}

}  // namespace weft::stablehlo
