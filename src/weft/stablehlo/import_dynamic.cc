// Operations that take shapes as operands or give them: the result's type says the shape, and what else they compute
// with must be constant.
#include <algorithm>

#include "weft/ir/random.h"
#include "weft/ir/shape.h"
#include "weft/stablehlo/importer.h"

namespace weft::stablehlo {

namespace {

Dims as_dims(const std::vector<std::int64_t>& v) { return Dims(std::span<const std::int64_t>(v)); }

}  // namespace

void Importer::rng(const Op& op, Operands operands, Results& results) {
  const Aval result = this->result(op);
  const RngParams p{reader(op).enumerator_of<RngDistribution>("rng_distribution", "rng_distribution"),
                    Dims(result.shape())};
  give(op, bind_all(OpCode::kRng, ir::make_params(p), Arrays{single(op, operands, 0), single(op, operands, 1)}),
       results);
}

void Importer::get_dimension_size(const Op& op, Operands operands, Results& results) {
  const std::int64_t axis = reader(op).integer("dimension");
  const Array x = single(op, operands, 0);
  if (axis < 0 || axis >= x.ndim())
    fail(op, "dimension must be an axis of the operand; got " + std::to_string(axis) + ".");
  const std::int64_t size = x.aval().shape(static_cast<std::size_t>(axis));
  give(op, Array::full({}, i32, Scalar(size)), results);
}

void Importer::set_dimension_size(const Op& op, Operands operands, Results& results) {
  const std::int64_t axis = reader(op).integer("dimension");
  const Array x = single(op, operands, 0);
  const std::vector<std::int64_t> size = known_integers(op, 1);
  if (axis < 0 || axis >= x.ndim() || size.size() != 1)
    fail(op, "dimension must be an axis of the operand, with one size; got " + std::to_string(axis) + ".");
  if (size[0] != x.aval().shape(static_cast<std::size_t>(axis)))
    refuse(op, "the size must be that of the operand's axis, since shapes are static; got " + join(size, ", ") +
                   " for axis " + std::to_string(axis) + " of " + x.aval().str() + ".");
  give(op, x, results);
}

void Importer::dynamic_reshape(const Op& op, Operands operands, Results& results) {
  give(op, lax::reshape(single(op, operands, 0), result(op).shape()), results);
}

void Importer::dynamic_broadcast_in_dim(const Op& op, Operands operands, Results& results) {
  give(op, lax::broadcast_in_dim(single(op, operands, 0), result(op).shape(), reader(op).dims("broadcast_dimensions")),
       results);
}

void Importer::dynamic_iota(const Op& op, Operands, Results& results) {
  const Aval r = result(op);
  const IotaParams p{reader(op).integer("iota_dimension"), r.dtype(), Dims(r.shape())};
  give(op, bind_all(OpCode::kIota, ir::make_params(p), {}), results);
}

void Importer::dynamic_pad(const Op& op, Operands operands, Results& results) {
  const PadParams p{as_dims(known_integers(op, 2)), as_dims(known_integers(op, 3)), as_dims(known_integers(op, 4))};
  give(op, bind_all(OpCode::kPad, ir::make_params(p), Arrays{single(op, operands, 0), single(op, operands, 1)}),
       results);
}

void Importer::dynamic_gather(const Op& op, Operands operands, Results& results) { gather(op, operands, results); }

void Importer::dynamic_conv(const Op& op, Operands operands, Results& results) {
  const ir::Avals in = avals(op.operands), out = avals(op.results);
  const ir::Params fixed = operation_named("stablehlo.convolution")->read(AttributeReader(module_, op, in, out));
  auto p = ir::params_as<ConvolutionParams>(fixed);
  const std::vector<std::int64_t> padding = known_integers(op, 2);
  if (padding.size() != 2 * p.padding_low.size())
    fail(op, "the padding must have two numbers per spatial axis; got " + std::to_string(padding.size()) + " for " +
                 std::to_string(p.padding_low.size()) + ".");
  for (std::size_t i = 0; i < p.padding_low.size(); ++i) {
    p.padding_low[i] = padding[2 * i];
    p.padding_high[i] = padding[2 * i + 1];
  }
  Arrays args{single(op, operands, 0), single(op, operands, 1)};
  widen_if_mixed(args, result(op).dtype());
  give(op, bind_all(OpCode::kConvolution, ir::make_params(std::move(p)), args), results);
}

void Importer::real_dynamic_slice(const Op& op, Operands operands, Results& results) {
  SliceParams p;
  p.start_indices = as_dims(known_integers(op, 1));
  p.limit_indices = as_dims(known_integers(op, 2));
  p.strides = as_dims(known_integers(op, 3));
  give(op, bind_all(OpCode::kSlice, ir::make_params(std::move(p)), Arrays{single(op, operands, 0)}), results);
}

// Shapes that broadcast together as the operands do, with as few axes as there can be: neighbouring axes become one
// where the same operands have more than one element along both, and axes along which none has vanish.
void Importer::minimum_broadcast_shapes(const Op& op, Operands operands, Results& results) {
  const std::size_t n = operands.size();
  if (n < 2 || op.results.size() != n)
    fail(op, "there must be at least two shapes, and one result for each; got " + std::to_string(n) + " and " +
                 std::to_string(op.results.size()) + ".");
  std::vector<std::vector<std::int64_t>> shapes(n), reduced(n);
  std::size_t rank = 0;
  for (std::size_t i = 0; i < n; ++i) {
    shapes[i] = known_integers(op, i);
    rank = std::max(rank, shapes[i].size());
  }
  // From the last axis on; `reduced` is in reverse until the end.
  std::vector<bool> previous(n, false), spread(n);
  for (std::size_t back = 1; back <= rank; ++back) {
    std::int64_t common = 1;
    for (std::size_t i = 0; i < n; ++i) {
      const std::int64_t size = back <= shapes[i].size() ? shapes[i][shapes[i].size() - back] : 1;
      spread[i] = size != 1;
      if (size == 1) continue;
      if (size < 0 || (common != 1 && size != common))
        fail(op, "the shapes must broadcast together; got size " + std::to_string(size) +
                     (size < 0 ? "." : " beside " + std::to_string(common) + "."));
      common = size;
    }
    if (common == 1) continue;
    for (std::size_t i = 0; i < n; ++i) {
      if (spread != previous) reduced[i].push_back(1);
      if (spread[i] && __builtin_mul_overflow(reduced[i].back(), common, &reduced[i].back()))
        fail(op, "the shapes must have fewer than 2^63 elements.");
    }
    previous = spread;
  }
  Arrays outs;
  for (std::size_t i = 0; i < n; ++i) {
    while (!reduced[i].empty() && reduced[i].back() == 1) reduced[i].pop_back();
    std::ranges::reverse(reduced[i]);
    const CurrentTrace evaluate(nullptr);
    outs.push_back(lax::convert(
        Array::copy(i64, Dims{static_cast<std::int64_t>(reduced[i].size())}, reduced[i].data(), reduced[i].size()),
        avals(std::span(op.results).subspan(i, 1))[0].dtype()));
  }
  give(op, outs, results);
}

}  // namespace weft::stablehlo
