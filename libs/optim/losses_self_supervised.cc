#include "optim/losses_self_supervised.h"

#include "weft/base/text.h"
#include "weft/np/dtypes.h"
#include "weft/np/indexing.h"
#include "weft/np/products.h"
#include "weft/np/shape.h"
#include "weft/np/ufuncs.h"

namespace weft::optim {

using losses_detail::check_float;

Array ntxent(const Arg& embeddings, const Arg& labels, const Arg& temperature) {
  const LocationScope scope(embeddings.location(), "ntxent");
  check_float("ntxent", "embeddings", embeddings);
  const Array x = embeddings.array(), y = labels.array();
  if (x.ndim() != 2 || y.ndim() != 1 || y.shape(0) != x.shape(0))
    throw ShapeError(
        "ntxent: embeddings must have axes for examples and features, and labels one for the examples; got " +
        x.aval().str() + " and " + y.aval().str() + ".");
  const Array units = x / np::sqrt(np::maximum(np::sum(np::square(x), -1, true), np::finfo(x.dtype()).eps));
  const Array similarity = np::matmul(units, np::transpose(units)) / temperature;
  const Array same = y(slice(), newaxis) == y(newaxis, slice());
  const Array pairs = same & ~np::eye(x.shape(0), {}, 0, boolean);
  // -log(e / (e + s)) = log(1 + s / e), from the logarithms of e and s.
  const losses_detail::Normalizer others = losses_detail::log_sum_exp(similarity, -1, ~same);
  const Array losses = np::logaddexp(others.log_total - (similarity - others.shift), 0.0);
  return losses_detail::reduce_losses(losses, LossReduction::kMean, {}, pairs);
}

Array triplet_margin_loss(const Arg& anchors, const Arg& positives, const Arg& negatives,
                          const TripletOptions& options) {
  const LocationScope scope(anchors.location(), "triplet_margin_loss");
  check_float("triplet_margin_loss", "anchors", anchors);
  check_float("triplet_margin_loss", "positives", positives);
  check_float("triplet_margin_loss", "negatives", negatives);
  const double p = options.norm_degree;
  if (!(p > 0))
    throw ValueError("triplet_margin_loss: the degree of the norm must be positive; got " + number_str(p) + ".");
  const auto distance = [&](const Arg& to) {
    const Array d = np::subtract(anchors, to);
    if (p == 2) return np::sqrt(np::sum(np::square(d), options.axis) + static_cast<double>(options.eps));
    return np::power(np::sum(np::power(np::abs(d), p), options.axis) + static_cast<double>(options.eps), 1 / p);
  };
  return np::maximum(distance(positives) - distance(negatives) + options.margin, 0.0);
}

}  // namespace weft::optim
