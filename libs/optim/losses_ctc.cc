#include "optim/losses_ctc.h"

#include "weft/api/control_flow.h"
#include "weft/np/indexing.h"
#include "weft/np/shape.h"
#include "weft/np/ufuncs.h"

namespace weft::optim {

namespace {

void check_operands(std::string_view op, const Arg& logits, const Arg& logit_paddings, const Arg& labels,
                    const Arg& label_paddings, const CtcOptions& options) {
  losses_detail::check_float(op, "logits", logits);
  losses_detail::check_integer(op, "labels", labels);
  const auto check = [&](const char* what, const Arg& x, DimSpan shape, const char* as) {
    if (same_dims(x.shape(), shape)) return;
    throw ShapeError(std::string(op) + ": " + what + " must have the shape of " + as + "; got " +
                     x.array().aval().str() + " for logits " + logits.array().aval().str() + " and labels " +
                     labels.array().aval().str() + ".");
  };
  const DimSpan s = logits.shape();
  if (s.size() != 3 || s[1] == 0)
    throw ShapeError(std::string(op) +
                     ": logits must have axes for sequences, frames (at least one) and classes; got " +
                     logits.array().aval().str() + ".");
  if (labels.shape().size() != 2 || labels.shape()[0] != s[0])
    throw ShapeError(std::string(op) + ": labels must have axes for the " + std::to_string(s[0]) +
                     " sequences of the logits and for labels; got " + labels.array().aval().str() + ".");
  check("logit_paddings", logit_paddings, s.first(2), "the logits without classes");
  check("label_paddings", label_paddings, labels.shape(), "the labels");
  if (options.blank_id < 0 || options.blank_id >= s[2])
    throw ValueError(std::string(op) + ": blank_id must be one of " + std::to_string(s[2]) + " classes; got " +
                     std::to_string(options.blank_id) + ".");
}

// phi with the probability `added`, in logarithms, of one more complete label.
Array with_completed(const Array& phi, const Array& added) {
  return np::concatenate({phi(ellipsis, slice(1)), np::logaddexp(phi(ellipsis, slice(1, std::nullopt)), added)}, -1);
}

CtcForward forward(std::string_view op, const Arg& logits, const Arg& logit_paddings, const Arg& labels,
                   const Arg& label_paddings, const CtcOptions& options) {
  check_operands(op, logits, logit_paddings, labels, label_paddings, options);
  const DType dtype = logits.dtype();
  const Array pad_frames = np::truth(logit_paddings), y = labels.array();
  const std::int64_t batch = y.shape(0), n = y.shape(1);
  const double zero = options.log_epsilon;

  const Array log_p = losses_detail::log_softmax(np::where(pad_frames(ellipsis, newaxis), 0.0, logits), -1);
  // Frames in front: [t, b, 1] of the blank and [t, b, n] of the labels, where padding reads any class.
  const Array blank =
      np::swapaxes(np::expand_dims(log_p(ellipsis, static_cast<std::int64_t>(options.blank_id)), 2), 0, 1);
  const Array emit = np::swapaxes(np::take_along_axis(log_p, y(slice(), newaxis, slice()), -1, IndexMode::kClip), 0, 1);
  const Array pad = np::swapaxes(pad_frames, 0, 1)(ellipsis, newaxis);
  // Between two equal labels there must be a blank: the one way from a label to the next is closed, or the other is.
  const Array repeat =
      np::pad(y(slice(), slice(0, n - 1)) == y(slice(), slice(1, n)), {{0, 0}, {0, n > 0 ? 1 : 0}}, false);
  const Array no_skip = np::where(repeat, np::full({}, zero, dtype), 0.0);
  const Array no_blank = np::where(repeat, np::full({}, 0.0, dtype), zero);

  using Alphas = std::pair<Array, Array>;  // with n labels complete; the last frame being label n
  const auto step = [&](const Alphas& before, const std::tuple<Array, Array, Array>& frame) {
    const auto& [phi, last] = before;
    const auto& [emit_t, blank_t, pad_t] = frame;
    const Array ready = with_completed(phi, last + no_skip);
    const Array next_last = np::logaddexp(ready(ellipsis, slice(0, n)) + emit_t, last + emit_t);
    const Array next_phi = with_completed(ready + blank_t, last + blank_t + no_blank);
    const Alphas next(np::where(pad_t, phi, next_phi), np::where(pad_t, last, next_last));
    return std::pair(next, next);
  };
  const Array start = np::concatenate({np::zeros({batch, 1}, dtype), np::full({batch, n}, zero, dtype)}, -1);
  const auto [end, alphas] = scan(step, Alphas(start, np::full({batch, n}, zero, dtype)), std::tuple(emit, blank, pad));

  const Array complete = with_completed(end.first, end.second);
  const Array length = n - np::count_nonzero(np::truth(label_paddings), -1);
  const Array loss = -np::sum(np::where(losses_detail::one_hot(length, n + 1), complete, 0.0), -1);
  const Array log_alpha_blank = np::concatenate({alphas.first(slice(0, -1)), complete(newaxis)}, 0);
  return {loss, log_alpha_blank, alphas.second};
}

}  // namespace

CtcForward ctc_loss_with_forward_probs(const Arg& logits, const Arg& logit_paddings, const Arg& labels,
                                       const Arg& label_paddings, const CtcOptions& options) {
  const LocationScope scope(logits.location(), "ctc_loss_with_forward_probs");
  return forward("ctc_loss_with_forward_probs", logits, logit_paddings, labels, label_paddings, options);
}

Array ctc_loss(const Arg& logits, const Arg& logit_paddings, const Arg& labels, const Arg& label_paddings,
               const CtcOptions& options) {
  const LocationScope scope(logits.location(), "ctc_loss");
  return forward("ctc_loss", logits, logit_paddings, labels, label_paddings, options).loss;
}

}  // namespace weft::optim
