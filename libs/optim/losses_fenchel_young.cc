#include "optim/losses_fenchel_young.h"

#include "optim/leafwise.h"
#include "weft/np/indexing.h"
#include "weft/np/ufuncs.h"

namespace weft::optim {

using losses_detail::check_broadcasts;
using losses_detail::check_float;

Array losses_detail::fenchel_young_rows(const Arg& scores, const Arg& targets) {
  const LocationScope scope(scores.location(), "fenchel_young_loss");
  check_float("fenchel_young_loss", "scores", scores);
  check_broadcasts("fenchel_young_loss", {"targets", targets}, {"scores", scores});
  if (scores.shape().empty())
    throw ShapeError("fenchel_young_loss: scores must have an axis to take the maximum over; got " +
                     scores.array().aval().str() + ".");
  const Array s = scores.array();
  const std::int64_t k = s.shape(-1);
  return np::reshape(s, {product(DimSpan(s.shape()).first(s.shape().size() - 1)), k});
}

Array losses_detail::fenchel_young_loss(const Array& values, const Arg& scores, const Arg& targets) {
  const LocationScope scope(scores.location(), "fenchel_young_loss");
  if (values.ndim() != 1)
    throw ShapeError("fenchel_young_loss: the function must give a 0-d array for a vector; got " +
                     values.aval().with_shape(DimSpan(values.shape()).subspan(1)).str() + ".");
  const DimSpan shape = scores.shape();
  return np::reshape(values, shape.first(shape.size() - 1)) - np::sum(np::multiply(targets, scores), -1);
}

Array sparsemax_loss(const Arg& logits, const Arg& labels) {
  const LocationScope scope(logits.location(), "sparsemax_loss");
  check_float("sparsemax_loss", "logits", logits);
  check_broadcasts("sparsemax_loss", {"labels", labels}, {"logits", logits});
  const Array l = logits.array();
  const Array x = np::where(np::truth(labels), -l, l);
  // The parabola is of 0 where it is not taken, so that it cannot overflow there.
  const Array inside = np::where((x > -1.0) & (x < 1.0), x, -1.0);
  return np::where(x >= 1.0, x, 0.25 * np::square(inside + 1.0));
}

Array multiclass_sparsemax_loss(const Arg& scores, const Arg& labels) {
  const LocationScope scope(scores.location(), "multiclass_sparsemax_loss");
  check_float("multiclass_sparsemax_loss", "scores", scores);
  losses_detail::check_labels("multiclass_sparsemax_loss", labels, {"scores", scores});
  const Array given = scores.array();
  const Array s = given.astype(detail::precision({given}));
  const Array right = losses_detail::one_hot(labels.array(), s.shape(-1));
  // Relative to the largest, which changes nothing, no digits are lost in sums.
  const Array x = s - lax::stop_gradient(np::max(s, -1, true));
  // Given the support, the point is linear, which gives derivatives of all orders.
  const Array support = lax::stop_gradient(x) > detail::simplex_threshold(lax::stop_gradient(x));
  const Array inside = np::where(support, x, 0.0);
  const Array count = np::sum(support.astype(x.dtype()), -1, true);
  const Array p = np::where(support, x - (np::sum(inside, -1, true) - 1.0) / count, 0.0);
  const Array of_label = np::sum(np::where(right, x, 0.0), -1, true);
  const Array loss = np::sum(p * np::where(support, x - of_label, 0.0), -1) + 0.5 * (1.0 - np::sum(np::square(p), -1));
  return loss.astype(given.dtype());
}

}  // namespace weft::optim
