#include "weft/ir/programs.h"

#include "weft/ir/elements.h"

namespace weft {

std::int64_t iteration_number(const WhileParams& p, std::int64_t step, const TensorView* first) {
  if (p.number == IterationNumber::kCounted) return step;
  const bool told = p.number == IterationNumber::kCarried && first && first->ndim() == 0 && is_integer(first->dtype());
  return told ? integer_element(first->dtype(), first->data) - 1 : -1;
}

}  // namespace weft
