#include "weft/runtime/client.h"

namespace weft {

std::shared_ptr<const Executable> executable(const ir::Jaxpr& jaxpr) {
  return jaxpr.memo<Executable>("executable", [&] { return default_client().compile(jaxpr); });
}

MemoryStats memory_stats() { return default_client().memory_stats(); }
void reset_peak_memory() { default_client().reset_peak_memory(); }

}  // namespace weft
