// CHLO's operations that are more than rows of operations.h: broadcasting, and functions that must be what their
// producer computed.
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
  if (!row) fail(op, std::string(reason_of_unknown(op.name)) + ".");
  ir::Avals in;
  for (const Array& a : args) in.push_back(a.aval());
  const ir::Params params =
      row->read ? row->read(AttributeReader(module_, op, in, std::span<const Aval>(&result, 1))) : ir::Params();
  give(op, bind_all(row->op, params, args), results);
}

}  // namespace weft::stablehlo
