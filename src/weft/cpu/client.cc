// The CPU as a client: memory from the caching allocator, operations by prebuilt kernels,
// programs step by step.
#include "weft/runtime/client.h"

#include "weft/compiler/strict.h"
#include "weft/cpu/allocator.h"
#include "weft/cpu/executable.h"
#include "weft/cpu/plan.h"
#include "weft/cpu/target.h"
#include "weft/ir/call.h"
#include "weft/ir/nested.h"
#include "weft/runtime/programs.h"

namespace weft {

namespace {

// Header and data of small arrays in one block: half the cost of two.
class CpuStorage final : public Storage {
 public:
  static Ref<Storage> make(std::size_t bytes) {
    if (bytes <= kInline) {
      void* block = cpu::allocate(kHeader + bytes);
      return Ref<Storage>::adopt(new (block) CpuStorage(static_cast<char*>(block) + kHeader, bytes));
    }
    void* data = cpu::allocate(bytes);
    return Ref<Storage>::adopt(new (cpu::allocate(kHeader)) CpuStorage(data, bytes));
  }

 private:
  static constexpr std::size_t kHeader = 64, kInline = 1024;
  CpuStorage(void* data, std::size_t bytes) : Storage(data, bytes, release) {}
  static void release(Storage* s) {
    const std::size_t bytes = s->bytes();
    void* data = s->data();
    static_cast<CpuStorage*>(s)->~CpuStorage();
    if (bytes <= kInline) {
      cpu::deallocate(s, kHeader + bytes);
    } else {
      cpu::deallocate(data, bytes);
      cpu::deallocate(s, kHeader);
    }
  }
};

class CpuClient final : public Client {
 public:
  Ref<Storage> allocate(std::size_t bytes) override { return CpuStorage::make(bytes); }

  void evaluate(const Call& call, Arrays& outs) override {
    if (call.op == OpCode::kCall) return executable(call.params_as<CallParams>().jaxpr)->run(call.args, outs);
    ir::Avals in, out;
    SmallVector<const BufferValue*, 4> buffers;
    for (const Array& a : call.args) {
      in.push_back(a.aval());
      buffers.push_back(a.buffer());
    }
    ir::infer(call.op, call.params.get(), in, out);
    if (ir::runs_programs(call.op)) return run_programs(call, outs);
    const cpu::OpPlan plan = cpu::plan_op(call.op, call.params.get(), in, out);
    SmallVector<Ref<const BufferValue>, 2> results(out.size());
    cpu::run_plan(plan, call.op, call.params.get(), buffers, out, nullptr, results);
    for (auto& r : results) outs.push_back(Array(Ref<const Value>(std::move(r))));
  }

  MemoryStats memory_stats() const override {
    const cpu::AllocatorStats s = cpu::allocator_stats();
    return {s.live_bytes, s.peak_bytes};
  }
  void reset_peak_memory() override { cpu::reset_peak(); }

  std::string_view device_name() const override { return "cpu:0"; }
  std::shared_ptr<const Executable> compile(const ir::Jaxpr& jaxpr, const ExecutableOptions& options) override {
    return cpu::make_executable(jaxpr, options);
  }
  ir::Jaxpr strict(const ir::Jaxpr& jaxpr) const override { return compiler::strict(jaxpr, cpu::kCpuTarget); }
  bool compiles_to_code() const override {
#ifdef WEFT_HAVE_LLVM
    return true;
#else
    return false;
#endif
  }
};

}  // namespace

Client& default_client() {
  static CpuClient* const client = new CpuClient;  // outlives every static array
  return *client;
}
Evaluator& default_evaluator() { return default_client(); }

}  // namespace weft
