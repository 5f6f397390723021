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
WEFT_PENDING(convolution);
WEFT_PENDING(reduce_window);
WEFT_PENDING(select_and_scatter);
WEFT_PENDING(select_and_gather_add);
WEFT_PENDING(top_k);
WEFT_PENDING(fft);
WEFT_PENDING(cholesky);
WEFT_PENDING(triangular_solve);
WEFT_PENDING(rng);
WEFT_PENDING(rng_bit_generator);

#undef WEFT_PENDING

}  // namespace weft
