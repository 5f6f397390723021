// Batch normalisation by the specification's formulas.
#include "weft/stablehlo/importer.h"

namespace weft::stablehlo {

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
  const Attribute& epsilon = from.required("epsilon");
  const std::optional<double> e =
      epsilon.kind == Attribute::Kind::kNumber ? parse_number<double>(epsilon.text) : std::nullopt;
  if (!e) from.mistyped(epsilon, "epsilon", "a number");
  b.epsilon = *e;
  if (b.feature < 0 || b.feature >= x.ndim())
    from.fail("feature_index must be an axis of the operand; got " + std::to_string(b.feature) + " for " +
              x.aval().str() + ".");
  for (std::int64_t a = 0; a < x.ndim(); ++a)
    if (a != b.feature) {
      b.others.push_back(a);
      b.count *= x.aval().shape(static_cast<std::size_t>(a));
    }
  return b;
}

}  // namespace

void Importer::batch_norm_inference(const Op& op, Operands operands, Results& results) {
  need_operands(op, 5);
  const BatchNorm b = batch_norm(reader(op), single(op, operands, 0));
  const Array scale = single(op, operands, 1), offset = single(op, operands, 2);
  const Array y = b.normalized(single(op, operands, 3), single(op, operands, 4));
  give(op, lax::add(lax::multiply(b.spread(scale), y), b.spread(offset)), results);
}

void Importer::batch_norm_training(const Op& op, Operands operands, Results& results) {
  need_operands(op, 3);
  const BatchNorm b = batch_norm(reader(op), single(op, operands, 0));
  const Array mean = b.mean(b.x);
  const Array centered = lax::subtract(b.x, b.spread(mean));
  const Array variance = b.mean(lax::multiply(centered, centered));
  const Array y = lax::add(lax::multiply(b.spread(single(op, operands, 1)), b.normalized(mean, variance)),
                           b.spread(single(op, operands, 2)));
  give(op, Arrays{y, mean, variance}, results);
}

void Importer::batch_norm_grad(const Op& op, Operands operands, Results& results) {
  need_operands(op, 5);
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
