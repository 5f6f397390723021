// Operations that take shapes as operands: the result's type says the shape, and what else they compute with must be
// constant. And older operations, as what the specification says they mean.
#include <algorithm>
#include <numeric>

#include "weft/ir/random.h"
#include "weft/ir/shape.h"
#include "weft/stablehlo/importer.h"

namespace weft::stablehlo {

namespace {

Dims as_dims(const std::vector<std::int64_t>& v) { return Dims(std::span<const std::int64_t>(v)); }

}  // namespace

void Importer::rng(const Op& op, Operands operands, Results& results) {
  const Aval result = this->result(op);
  const RngParams p{reader(op).enumerator_of("rng_distribution", RngDistribution{}), Dims(result.shape())};
  give(op, bind_all(OpCode::kRng, ir::make_params(p), Arrays{single(op, operands, 0), single(op, operands, 1)}),
       results);
}

// ---- shapes as operands ----

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
  if (axis < 0 || axis >= x.ndim() || size.size() != 1 || size[0] != x.aval().shape(static_cast<std::size_t>(axis)))
    fail(op, "the size must be that of the operand's axis: Weft's shapes are static.");
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
  if (padding.size() != 2 * p.padding_low.size()) fail(op, "the padding must have two numbers per spatial axis.");
  for (std::size_t i = 0; i < p.padding_low.size(); ++i) {
    p.padding_low[i] = padding[2 * i];
    p.padding_high[i] = padding[2 * i + 1];
  }
  give(op,
       bind_all(OpCode::kConvolution, ir::make_params(std::move(p)),
                Arrays{single(op, operands, 0), single(op, operands, 1)}),
       results);
}

void Importer::real_dynamic_slice(const Op& op, Operands operands, Results& results) {
  SliceParams p;
  p.start_indices = as_dims(known_integers(op, 1));
  p.limit_indices = as_dims(known_integers(op, 2));
  p.strides = as_dims(known_integers(op, 3));
  give(op, bind_all(OpCode::kSlice, ir::make_params(std::move(p)), Arrays{single(op, operands, 0)}), results);
}

// ---- broadcasting ----

// New axes in front.
void Importer::broadcast(const Op& op, Operands operands, Results& results) {
  const Array x = single(op, operands, 0);
  Dims shape = reader(op).dims("broadcast_sizes");
  Dims axes(x.aval().shape().size());
  std::iota(axes.begin(), axes.end(), static_cast<std::int64_t>(shape.size()));
  shape.append(x.aval().shape().begin(), x.aval().shape().end());
  give(op, lax::broadcast_in_dim(x, shape, axes), results);
}

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
    if (r > rank) fail(op, "an operand may not have more axes than the result.");
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
  if (!row) fail(op, "Weft has no such operation.");
  ir::Avals in;
  for (const Array& a : args) in.push_back(a.aval());
  const ir::Params params =
      row->read ? row->read(AttributeReader(module_, op, in, std::span<const Aval>(&result, 1))) : ir::Params();
  give(op, bind_all(row->op, params, args), results);
}

// ---- products ----

// dot contracts the last axis of the left operand with the first of the right.
void Importer::dot(const Op& op, Operands operands, Results& results) {
  const Array x = single(op, operands, 0), y = single(op, operands, 1);
  if (x.ndim() < 1 || x.ndim() > 2 || y.ndim() < 1 || y.ndim() > 2) fail(op, "operands must be vectors or matrices.");
  DotDimensionNumbers d;
  d.lhs_contracting = {x.ndim() - 1};
  d.rhs_contracting = {0};
  give(op, lax::dot_general(x, y, d, result(op).dtype()), results);
}

// "ab,bc->ac": letters of both operands and the result are batched, of both operands contracted, of one summed.
void Importer::einsum(const Op& op, Operands operands, Results& results) {
  const std::string config = reader(op).text("einsum_config", "");
  const std::size_t arrow = config.find("->");
  std::vector<std::string> terms;
  if (arrow != std::string::npos)
    for (std::size_t begin = 0; begin <= arrow;) {
      const std::size_t end = std::min(config.find(',', begin), arrow);
      terms.push_back(config.substr(begin, end - begin));
      begin = end + 1;
    }
  if (terms.size() != operands.size() || terms.empty() || terms.size() > 2)
    fail(op, "einsum_config must have one term per operand and a result; got \"" + config + "\".");
  const std::string result = config.substr(arrow + 2);
  terms.push_back(result);
  for (const std::string& term : terms)
    for (std::size_t i = 0; i < term.size(); ++i)
      if (!((term[i] >= 'a' && term[i] <= 'z') || (term[i] >= 'A' && term[i] <= 'Z')) ||
          term.find(term[i], i + 1) != std::string::npos)
        fail(op, "a term must be distinct letters; got \"" + term + "\".");
  const auto has = [](const std::string& s, char c) { return s.find(c) != std::string::npos; };
  Arrays xs;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    Array x = single(op, operands, i);
    if (x.ndim() != static_cast<int>(terms[i].size())) fail(op, "a term must have one letter per axis.");
    const std::string other = operands.size() == 2 ? terms[1 - i] : std::string();
    Dims summed;
    std::string left;
    for (std::size_t a = 0; a < terms[i].size(); ++a) {
      if (has(result, terms[i][a]) || has(other, terms[i][a]))
        left += terms[i][a];
      else
        summed.push_back(static_cast<std::int64_t>(a));
    }
    if (!summed.empty()) x = lax::reduce_sum(x, summed);
    xs.push_back(x);
    terms[i] = left;
  }
  Array y = xs[0];
  std::string letters = terms[0];
  if (operands.size() == 2) {
    DotDimensionNumbers d;
    letters.clear();
    std::string lhs_rest, rhs_rest;
    for (std::size_t a = 0; a < terms[0].size(); ++a) {
      const char c = terms[0][a];
      const std::size_t b = terms[1].find(c);
      if (b == std::string::npos) {
        lhs_rest += c;
      } else if (has(result, c)) {
        d.lhs_batch.push_back(static_cast<std::int64_t>(a));
        d.rhs_batch.push_back(static_cast<std::int64_t>(b));
        letters += c;
      } else {
        d.lhs_contracting.push_back(static_cast<std::int64_t>(a));
        d.rhs_contracting.push_back(static_cast<std::int64_t>(b));
      }
    }
    for (const char c : terms[1])
      if (!has(terms[0], c)) rhs_rest += c;
    letters += lhs_rest + rhs_rest;
    y = lax::dot_general(xs[0], xs[1], d, this->result(op).dtype());
  }
  if (letters.size() != result.size())
    fail(op, "the result's letters must be among the operands'; got \"" + config + "\".");
  Dims permutation;
  for (const char c : result) {
    const std::size_t at = letters.find(c);
    if (at == std::string::npos) fail(op, "the result's letters must be among the operands'; got \"" + config + "\".");
    permutation.push_back(static_cast<std::int64_t>(at));
  }
  give(op, lax::transpose(y, permutation), results);
}

// Rows of `dim` that the indices name; the first batch_dims axes run along.
void Importer::torch_index_select(const Op& op, Operands operands, Results& results) {
  const AttributeReader from = reader(op);
  const Array x = single(op, operands, 0), index = single(op, operands, 1);
  const std::int64_t dim = from.integer("dim", 0), batch = from.integer("batch_dims", 0);
  if (batch < 0 || batch > index.ndim() || dim < batch || dim >= x.ndim())
    fail(op, "batch_dims and dim must be axes of the operands, batch_dims first.");
  GatherParams p;
  GatherDimensionNumbers& d = p.dimension_numbers;
  for (std::int64_t a = 0; a < x.ndim(); ++a) {
    const bool batched = a < batch;
    if (batched) {
      d.operand_batching_dims.push_back(a);
      d.start_indices_batching_dims.push_back(a);
    } else if (a != dim) {
      d.offset_dims.push_back(a < dim ? a : a - 1 + index.ndim() - batch);
    }
    p.slice_sizes.push_back(batched || a == dim ? 1 : x.aval().shape(static_cast<std::size_t>(a)));
  }
  d.collapsed_slice_dims = {dim};
  d.start_index_map = {dim};
  p.mode = IndexMode::kClip;
  Dims shape(index.aval().shape());
  shape.push_back(1);
  give(op, bind_all(OpCode::kGather, ir::make_params(std::move(p)), Arrays{x, lax::reshape(index, shape)}), results);
}

// ---- batch normalisation, the specification's formulas ----

namespace {

struct BatchNorm {
  Array x;
  std::int64_t feature;
  double epsilon;
  Dims others;         // all axes but the feature's
  std::int64_t count;  // elements per feature

  Array spread(const Array& v) const { return lax::broadcast_in_dim(v, x.shape(), Dims{feature}); }
  Array full(double v) const { return Array::full(x.shape(), x.dtype(), Scalar(v)); }
  Array sum(const Array& v) const { return lax::reduce_sum(v, others); }
  Array mean(const Array& v) const {
    const Array s = sum(v);
    return lax::divide(s, Array::full(s.shape(), s.dtype(), Scalar(static_cast<double>(count))));
  }
  Array normalized(const Array& mean, const Array& variance) const {
    return lax::divide(lax::subtract(x, spread(mean)), lax::sqrt(lax::add(spread(variance), full(epsilon))));
  }
};

BatchNorm batch_norm(const AttributeReader& from, const Array& x) {
  BatchNorm b{x, from.integer("feature_index"), 0, {}, 1};
  const Attribute* epsilon = from.op.find("epsilon");
  const std::optional<double> e =
      epsilon && epsilon->kind == Attribute::Kind::kNumber ? parse_number<double>(epsilon->text) : std::nullopt;
  if (!e) from.fail("epsilon must be a number.");
  b.epsilon = *e;
  if (b.feature < 0 || b.feature >= x.ndim()) from.fail("feature_index must be an axis of the operand.");
  for (std::int64_t a = 0; a < x.ndim(); ++a)
    if (a != b.feature) {
      b.others.push_back(a);
      b.count *= x.aval().shape(static_cast<std::size_t>(a));
    }
  return b;
}

}  // namespace

void Importer::batch_norm_inference(const Op& op, Operands operands, Results& results) {
  need(op, operands.size() == 5, "there must be five operands.");
  const BatchNorm b = batch_norm(reader(op), single(op, operands, 0));
  const Array scale = single(op, operands, 1), offset = single(op, operands, 2);
  const Array y = b.normalized(single(op, operands, 3), single(op, operands, 4));
  give(op, lax::add(lax::multiply(b.spread(scale), y), b.spread(offset)), results);
}

void Importer::batch_norm_training(const Op& op, Operands operands, Results& results) {
  need(op, operands.size() == 3, "there must be three operands.");
  const BatchNorm b = batch_norm(reader(op), single(op, operands, 0));
  const Array mean = b.mean(b.x);
  const Array centered = lax::subtract(b.x, b.spread(mean));
  const Array variance = b.mean(lax::multiply(centered, centered));
  const Array y = lax::add(lax::multiply(b.spread(single(op, operands, 1)), b.normalized(mean, variance)),
                           b.spread(single(op, operands, 2)));
  give(op, Arrays{y, mean, variance}, results);
}

void Importer::batch_norm_grad(const Op& op, Operands operands, Results& results) {
  need(op, operands.size() == 5, "there must be five operands.");
  const BatchNorm b = batch_norm(reader(op), single(op, operands, 0));
  const Array scale = b.spread(single(op, operands, 1)), mean = single(op, operands, 2);
  const Array variance = single(op, operands, 3), ct = single(op, operands, 4);
  const Array centered = lax::subtract(b.x, b.spread(mean));
  const Array spread = lax::add(b.spread(variance), b.full(b.epsilon));
  const Array count = b.full(static_cast<double>(b.count));
  const Array i3 = b.spread(b.sum(lax::multiply(ct, centered)));
  const Array i5 = lax::divide(lax::multiply(i3, centered), spread);
  const Array i6 = lax::subtract(lax::subtract(lax::multiply(ct, count), b.spread(b.sum(ct))), i5);
  const Array operand_ct = lax::multiply(lax::divide(lax::divide(scale, lax::sqrt(spread)), count), i6);
  give(op, Arrays{operand_ct, b.sum(lax::multiply(ct, b.normalized(mean, variance))), b.sum(ct)}, results);
}

}  // namespace weft::stablehlo
