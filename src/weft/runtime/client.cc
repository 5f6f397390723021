#include "weft/runtime/client.h"

#include "weft/ir/callback.h"

namespace weft {

void throw_no_compiler(const char* what) {
  if (default_client().compiles_to_code())
    throw BackendError(std::string(what) + ": the program must be compiled; got one of Effort::kNone.",
                       "compile it with another effort.");
  throw BackendError(std::string(what) + ": this build of Weft must have its compiler; got one without LLVM.",
                     "install llvm-19-dev and clang-19, and configure again.");
}

void Executable::run_direct(const void* const*, void* const*, void*) const { throw_no_compiler("call_into"); }
std::string Executable::text(ProgramStage) const { throw_no_compiler("text"); }
ObjectFile Executable::object(const ObjectOptions&, std::span<const Array>) const { throw_no_compiler("save_object"); }

ir::Jaxpr with_fp(const ir::Jaxpr& jaxpr, Fp fp) {
  if (fp == Fp::kFast) return jaxpr;
  return *jaxpr.memo<ir::Jaxpr>("strict",
                                [&] { return std::make_shared<const ir::Jaxpr>(default_client().strict(jaxpr)); });
}

std::shared_ptr<const Executable> executable(const ir::Jaxpr& jaxpr, const ExecutableOptions& options) {
  constexpr const char* kKeys[] = {"executable_none", "executable", "executable_max"};
  ExecutableOptions how = options;
  if (!default_client().compiles_to_code()) how.effort = Effort::kNone;
  if (!how.effort) how.effort = default_effort();
  std::string key = kKeys[static_cast<int>(*how.effort)];
  for (const std::uint32_t i : how.donated) key += " " + std::to_string(i);
  if (how.timed) key += " timed";
  return jaxpr.memo<Executable>(key, [&] {
    ir::refuse_checks(jaxpr);
    return default_client().compile(ir::copy(jaxpr), how);
  });
}

MemoryStats memory_stats() { return default_client().memory_stats(); }
void reset_peak_memory() { default_client().reset_peak_memory(); }

}  // namespace weft
