#include "weft/runtime/client.h"

#include "weft/ir/callback.h"

namespace weft {

void throw_no_compiler(const char* what) {
  throw BackendError(std::string(what) + ": this build of Weft must have its compiler; got one without LLVM.",
                     "install llvm-19-dev and clang-19, and configure again.");
}

void Executable::run_direct(const void* const*, void* const*, void*) const { throw_no_compiler("call_into"); }
std::string Executable::text(ProgramStage) const { throw_no_compiler("text"); }
ObjectFile Executable::object(const ObjectOptions&, std::span<const Array>) const { throw_no_compiler("save_object"); }

std::shared_ptr<const Executable> executable(const ir::Jaxpr& jaxpr, const ExecutableOptions& options) {
  std::string key = "executable";
  for (const std::uint32_t i : options.donated) key += " " + std::to_string(i);
  if (options.timed) key += " timed";
  return jaxpr.memo<Executable>(key, [&] {
    ir::refuse_checks(jaxpr);
    return default_client().compile(jaxpr, options);
  });
}

MemoryStats memory_stats() { return default_client().memory_stats(); }
void reset_peak_memory() { default_client().reset_peak_memory(); }

}  // namespace weft
