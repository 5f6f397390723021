// Placeholders of operations that are still to be written; each line goes when its operation comes.
#include "weft/core/rules.h"

namespace weft {

#define WEFT_PENDING(mnemonic)            \
  const ir::OpInfo op_infos::mnemonic{};  \
  const OpRules op_rule_table::mnemonic{}

WEFT_PENDING(mulhi);
WEFT_PENDING(igamma);
WEFT_PENDING(igammac);
WEFT_PENDING(igamma_grad_a);
WEFT_PENDING(random_gamma_grad);
WEFT_PENDING(regularized_incomplete_beta);

#undef WEFT_PENDING

}  // namespace weft
