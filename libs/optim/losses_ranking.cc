#include "optim/losses_ranking.h"

#include "weft/np/ufuncs.h"

namespace weft::optim {

using losses_detail::check_broadcasts;

Array ranking_softmax_loss(const Arg& logits, const Arg& labels, const RankingOptions& options) {
  constexpr std::string_view op = "ranking_softmax_loss";
  const LocationScope scope(logits.location(), op);
  losses_detail::check_float(op, "logits", logits);
  check_broadcasts(op, {"labels", labels}, {"logits", logits});
  const Array x = logits.array();
  Array relevance = np::astype(labels, x.dtype());
  if (options.weights) {
    check_broadcasts(op, {"weights", *options.weights}, {"logits", logits});
    relevance = relevance * *options.weights;
  }
  Array mask;
  if (options.where) {
    check_broadcasts(op, {"`where`", *options.where}, {"logits", logits});
    mask = np::broadcast_to(np::truth(*options.where), DimSpan(x.shape()));
    relevance = np::where(mask, relevance, 0.0);
  }
  const Array losses = -np::sum(relevance * losses_detail::log_softmax(x, -1, mask), -1);
  return losses_detail::reduce_losses(losses, options.reduction, {}, mask.defined() ? np::any(mask, -1) : Array());
}

}  // namespace weft::optim
