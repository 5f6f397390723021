// threefry2x32: (y0, y1) = E_(k0, k1)(x0, x1), a block cipher used as a random number generator.
// J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw: Parallel random numbers: as easy as 1, 2, 3 (2011).
#include "weft/ops/common.h"
#include "weft/ops/counter_hash.h"

namespace weft {

using namespace ops;

namespace {

void infer_threefry(const ParamsBase*, std::span<const Aval> in, Avals& out) {
  for (const Aval a : in)
    if (a.dtype() != u32) throw DTypeError("threefry2x32: keys and counters must be u32; got " + a.str() + ".");
  bool fits = in[2] == in[3];
  for (std::size_t i = 0; i < 2; ++i) fits &= in[i].ndim() == 0 || in[i] == in[2];
  if (!fits)
    throw ShapeError("threefry2x32: counters must have equal shapes, keys that shape or none; got keys " + in[0].str() +
                     ", " + in[1].str() + " and counters " + in[2].str() + ", " + in[3].str() + ".");
  out.push_back(in[2]);
  out.push_back(in[2]);
}

void eval_threefry(const ParamsBase*, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const std::int64_t step0 = in[0].ndim() == 0 ? 0 : 1, step1 = in[1].ndim() == 0 ? 0 : 1;
  for (std::int64_t i = 0; i < out[0].size(); ++i) {
    const auto [x, y] = threefry2x32_block({in[0].as<std::uint32_t>()[i * step0], in[1].as<std::uint32_t>()[i * step1]},
                                           {in[2].as<std::uint32_t>()[i], in[3].as<std::uint32_t>()[i]});
    out[0].as<std::uint32_t>()[i] = x;
    out[1].as<std::uint32_t>()[i] = y;
  }
}

// A 0-d key that differs by example is repeated over the counters; others stay as they are.
void batch_threefry(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                    Bdims& out_bdims) {
  Arrays operands(4);
  for (std::size_t i = 2; i < 4; ++i) operands[i] = bdim_to_front(call.args[i], bdims[i], axis.size);
  for (std::size_t i = 0; i < 2; ++i) {
    const Array& k = call.args[i];
    const bool scalar = k.ndim() - (bdims[i] != kUnmapped) == 0;
    if (!scalar)
      operands[i] = bdim_to_front(k, bdims[i], axis.size);
    else if (bdims[i] == kUnmapped)
      operands[i] = k;
    else
      operands[i] = lax::broadcast_in_dim(k, operands[2].shape(), Dims{0});
  }
  bind(call.op, call.params, operands, outs);
  out_bdims.assign(2, 0);
}

FactorTable factors_threefry(const ParamsBase*, std::span<const Aval> in, std::span<const Aval> out) {
  FactorTable table;
  FactorTable::Axes axes;
  for (const std::int64_t size : out[0].shape()) axes.push_back({table.add(size)});
  for (const Aval a : in) table.operands.push_back(a.ndim() == 0 ? FactorTable::Axes() : axes);
  table.results.push_back(axes);
  table.results.push_back(axes);
  return table;
}

}  // namespace

std::pair<Array, Array> lax::threefry2x32(const Array& k0, const Array& k1, const Array& x0, const Array& x1) {
  Arrays outs;
  bind(OpCode::kThreefry2x32, ir::Params(), std::initializer_list<Array>{k0, k1, x0, x1}, outs);
  return {std::move(outs[0]), std::move(outs[1])};
}

const ir::OpInfo op_infos::threefry2x32{
    .operands = ir::takes(4), .infer = infer_threefry, .eval = eval_threefry, .elementwise = true};
const OpRules op_rule_table::threefry2x32{
    .jvp = rules::zero_tangent, .transpose = rules::not_linear, .batch = batch_threefry, .factors = factors_threefry};

}  // namespace weft
