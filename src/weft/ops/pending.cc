// Placeholders of operations that are still to be written; each line goes when its operation comes.
#include "weft/core/rules.h"

namespace weft {

#define WEFT_PENDING(mnemonic)            \
  const ir::OpInfo op_infos::mnemonic{};  \
  const OpRules op_rule_table::mnemonic{}

WEFT_PENDING(case_);
WEFT_PENDING(while_);
WEFT_PENDING(composite);
WEFT_PENDING(custom_call);
WEFT_PENDING(generic_reduce);
WEFT_PENDING(generic_reduce_window);
WEFT_PENDING(generic_sort);
WEFT_PENDING(generic_scatter);
WEFT_PENDING(generic_select_and_scatter);
WEFT_PENDING(all_gather);
WEFT_PENDING(all_reduce);
WEFT_PENDING(all_to_all);
WEFT_PENDING(collective_broadcast);
WEFT_PENDING(collective_permute);
WEFT_PENDING(collective_reduce);
WEFT_PENDING(reduce_scatter);
WEFT_PENDING(partition_id);
WEFT_PENDING(replica_id);
WEFT_PENDING(send);
WEFT_PENDING(recv);
WEFT_PENDING(infeed);
WEFT_PENDING(outfeed);

#undef WEFT_PENDING

}  // namespace weft
