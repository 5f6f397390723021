// Connectionist temporal classification: the likelihood of a label sequence, summed over all ways to spread it over
// frames with blanks between. A. Graves, S. Fernandez, F. Gomez, J. Schmidhuber, "Connectionist temporal
// classification" (2006). Source: optax.ctc_loss.
#pragma once

#include "optim/losses_common.h"

namespace weft::optim {

struct CtcOptions {
  /// The class that stands for no label.
  np::Integer blank_id = 0;
  /// What stands for log(0).
  np::Real log_epsilon = -1e5;
};

/// The loss of each sequence and the logarithms of the probabilities on the way, by frame t, sequence b and number of
/// labels n that are complete.
struct CtcForward {
  Array loss;                ///< [b]
  Array log_alpha_blank;     ///< [t, b, n + 1]: of frames up to t with n labels, the last frame a blank
  Array log_alpha_nonblank;  ///< [t, b, n]: of frames up to t, the last one being label n
};

/// loss[b] = -log sum_paths prod_t softmax(logits[b, t])[path[t]], over the paths that give labels[b] when repeated
/// classes are merged and then blanks left out. logits[b, t, k] are float; labels[b, n] integers, not blank;
/// `logit_paddings`[b, t] and `label_paddings`[b, n] are 1 (or true) for frames and labels that do not count, 0 for the
/// others; padded labels are the last of their row. A sequence that no path gives costs about -log_epsilon. Differs
/// from optax.ctc_loss in that padded logits and labels may be anything, NaN too. ShapeError for other shapes, or no
/// frame; DTypeError; ValueError for a blank_id that is no class.
CtcForward ctc_loss_with_forward_probs(const Arg& logits, const Arg& logit_paddings, const Arg& labels,
                                       const Arg& label_paddings, const CtcOptions& options = {});
/// The loss alone.
Array ctc_loss(const Arg& logits, const Arg& logit_paddings, const Arg& labels, const Arg& label_paddings,
               const CtcOptions& options = {});

}  // namespace weft::optim
