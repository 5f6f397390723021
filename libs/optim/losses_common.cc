#include "optim/losses_common.h"

#include "weft/np/indexing.h"
#include "weft/np/shape.h"
#include "weft/np/ufuncs.h"

namespace weft::optim::losses_detail {

namespace {

std::string type_str(const Arg& x) { return Aval(x.dtype(), x.shape()).str(); }

bool broadcasts_to(DimSpan from, DimSpan to) {
  return from.size() <= to.size() && np::broadcastable(from, to) &&
         same_dims(np::broadcast_shapes("broadcast", from, to), to);
}

}  // namespace

void check_float(std::string_view op, std::string_view what, const Arg& x) {
  if (is_float(x.dtype())) return;
  throw DTypeError(std::string(op) + ": " + std::string(what) + " must be float; got " + type_str(x) + ".",
                   "convert with astype(f32).");
}

void check_integer(std::string_view op, std::string_view what, const Arg& x) {
  if (is_integer(x.dtype())) return;
  throw DTypeError(std::string(op) + ": " + std::string(what) + " must be integers; got " + type_str(x) + ".");
}

void check_same_shape(std::string_view op, const Named& x, const Named& like) {
  if (x.value.is_scalar() || like.value.is_scalar() || same_dims(x.value.shape(), like.value.shape())) return;
  throw ShapeError(std::string(op) + ": " + std::string(x.name) + " must have the shape of " + std::string(like.name) +
                   "; got " + type_str(x.value) + " for " + type_str(like.value) + ".");
}

void check_broadcasts(std::string_view op, const Named& x, const Named& like) {
  if (x.value.is_scalar() || like.value.is_scalar() || broadcasts_to(x.value.shape(), like.value.shape())) return;
  throw ShapeError(std::string(op) + ": " + std::string(x.name) + " must broadcast to the shape of " +
                   std::string(like.name) + "; got " + type_str(x.value) + " for " + type_str(like.value) + ".");
}

void check_labels(std::string_view op, const Arg& labels, const Named& scores) {
  check_integer(op, "labels", labels);
  const DimSpan all = scores.value.shape();
  if (!all.empty() && same_dims(labels.shape(), all.first(all.size() - 1))) return;
  throw ShapeError(std::string(op) + ": labels must have the shape of " + std::string(scores.name) +
                   " without the last axis; got " + type_str(labels) + " for " + type_str(scores.value) + ".");
}

Array mask_over(std::string_view op, const Arg& where, const Array& x, const np::AxisArg& axis) {
  Array mask = np::truth(where);
  const Dims axes = axis.resolve(op, x.aval());
  // One element for each example, to stand beside all of its elements.
  if (mask.ndim() + static_cast<int>(axes.size()) == x.ndim() && !axes.empty())
    mask = np::expand_dims(mask, np::Axes(std::vector<int>(axes.begin(), axes.end())));
  if (!broadcasts_to(mask.shape(), x.shape()))
    throw ShapeError(std::string(op) + ": `where` must have the shape of the operand, or that without the axes " +
                     shape_str(axes) + "; got " + type_str(where) + " for " + x.aval().str() + ".");
  return np::broadcast_to(mask, DimSpan(x.shape()));
}

Array one_hot(const Array& labels, std::int64_t n) {
  // In 32 bits at least, which hold all classes, and in the labels' own type, of which none wraps around.
  const Array l = bit_width(labels.dtype()) < 32 ? labels.astype(i32) : labels;
  return l(ellipsis, newaxis) == np::arange(n, l.dtype());
}

Normalizer log_sum_exp(const Array& x, const np::AxisArg& axis, const Array& mask) {
  const Array counted = mask.defined() ? np::where(mask, x, -np::inf) : x;
  // Shifted by the largest, a constant for derivatives; an infinite one would make inf - inf.
  const Array top = lax::stop_gradient(np::max(counted, axis, {.keepdims = true, .initial = -np::inf}));
  const Array shift = np::where(np::isfinite(top), top, 0.0);
  const Array total = np::sum(np::exp(counted - shift), axis, true);
  const Array empty = total == 0.0;  // where a logarithm has no slope
  return {shift, np::where(empty, -np::inf, np::log(np::where(empty, 1.0, total)))};
}

Array log_softmax(const Array& x, const np::AxisArg& axis, const Array& mask) {
  const Normalizer n = log_sum_exp(x, axis, mask);
  const Array y = (x - n.shift) - n.log_total;
  return mask.defined() ? np::where(mask, y, 0.0) : y;
}

Array log_sigmoid(const Array& x) { return -np::logaddexp(-x, 0.0); }

Array reduce_losses(const Array& losses, LossReduction reduction, const np::AxisArg& axis, const Array& mask) {
  Array counted = mask.defined() ? np::where(mask, losses, 0.0) : losses;
  if (reduction == LossReduction::kNone) return counted;
  Array sum = np::sum(counted, axis);
  if (reduction == LossReduction::kSum) return sum;
  const Array ones = mask.defined() ? mask.astype(losses.dtype()) : np::ones_like(losses);
  return sum / np::maximum(np::sum(ones, axis), 1.0);
}

}  // namespace weft::optim::losses_detail
