#include "weft/runtime/client.h"

namespace weft {

std::shared_ptr<const Executable> executable(const ir::Jaxpr& jaxpr) {
  return jaxpr.memo<Executable>("executable", [&] { return default_client().compile(jaxpr); });
}

}  // namespace weft
