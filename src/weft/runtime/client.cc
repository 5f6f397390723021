#include "weft/runtime/client.h"

#include "weft/ir/callback.h"

namespace weft {

std::shared_ptr<const Executable> executable(const ir::Jaxpr& jaxpr) {
  return jaxpr.memo<Executable>("executable", [&] {
    ir::refuse_checks(jaxpr);
    return default_client().compile(jaxpr);
  });
}

MemoryStats memory_stats() { return default_client().memory_stats(); }
void reset_peak_memory() { default_client().reset_peak_memory(); }

}  // namespace weft
