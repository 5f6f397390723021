// The client of builds without cpu/: every operation by its reference evaluation, every program
// operation by operation.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

#include "weft/core/stage.h"
#include "weft/ir/builder.h"
#include "weft/ir/call.h"
#include "weft/ir/checkpoint.h"
#include "weft/runtime/reference.h"

namespace weft {

namespace {

std::atomic<std::int64_t> live_bytes{0}, peak_bytes{0};

class HeapStorage final : public Storage {
 public:
  HeapStorage(void* data, std::size_t bytes)
      : Storage(data, bytes, [](Storage* s) {
          live_bytes -= static_cast<std::int64_t>(s->bytes());
          std::free(s->data());
          delete static_cast<HeapStorage*>(s);
        }) {
    const std::int64_t live = live_bytes += static_cast<std::int64_t>(bytes);
    std::int64_t peak = peak_bytes;
    while (peak < live && !peak_bytes.compare_exchange_weak(peak, live)) {
    }
  }
};

class ReferenceExecutable final : public Executable {
 public:
  explicit ReferenceExecutable(ir::Jaxpr jaxpr) : jaxpr_(std::move(jaxpr)) {}
  void run(std::span<const Array> args, Arrays& outs) const override {
    const CurrentTrace evaluate(nullptr);
    const std::size_t before = outs.size();
    eval_jaxpr(jaxpr_, args, outs);
    make_own(args, outs, before);
  }
  void run_timed(std::span<const Array> args, Arrays& outs, StatementTimer& timer) const override {
    const CurrentTrace evaluate(nullptr);
    const std::size_t before = outs.size();
    eval_jaxpr_by(jaxpr_, args, outs, [&](const ir::Eqn& e, std::span<const Array> operands, Arrays& results) {
      timer.begin(static_cast<std::size_t>(&e - jaxpr_.eqns().data()));
      bind(e.op, e.params, operands, results);
      timer.end();
    });
    make_own(args, outs, before);
  }
  std::vector<ProgramStatement> statements() const override { return statements_of(jaxpr_); }
  ProgramMemory memory() const override { return stepwise_memory(jaxpr_); }

 private:
  // Results that are arguments, or earlier results, become arrays of their own: who donates one keeps the other.
  static void make_own(std::span<const Array> args, Arrays& outs, std::size_t before) {
    for (std::size_t i = before; i < outs.size(); ++i) {
      const BufferValue* b = outs[i].buffer();
      const auto same = [&](const Array& a) { return a.buffer() == b; };
      if (std::any_of(args.begin(), args.end(), same) || std::any_of(outs.begin() + before, outs.begin() + i, same))
        outs[i] = detail::same_memory(*b);
    }
  }

  ir::Jaxpr jaxpr_;
};

class ReferenceClient final : public Client {
 public:
  Ref<Storage> allocate(std::size_t bytes) override {
    constexpr std::size_t kAlign = 64;
    void* data = bytes < SIZE_MAX - kAlign ? std::aligned_alloc(kAlign, (bytes / kAlign + 1) * kAlign) : nullptr;
    if (!data) throw BackendError("allocate: out of memory; got a request for " + std::to_string(bytes) + " bytes.");
    return Ref<Storage>::adopt(new HeapStorage(data, bytes));
  }
  void evaluate(const Call& call, Arrays& outs) override {
    if (call.op == OpCode::kCall) return executable(call.params_as<CallParams>().jaxpr)->run(call.args, outs);
    if (call.op == OpCode::kCheckpoint)
      return executable(call.params_as<CheckpointParams>().jaxpr)->run(call.args, outs);
    if (ir::op_info(call.op).identity) {
      outs.append(call.args.begin(), call.args.end());
      return;
    }
    reference_evaluate(*this, call, outs);
  }
  MemoryStats memory_stats() const override { return {live_bytes, peak_bytes}; }
  void reset_peak_memory() override { peak_bytes = live_bytes.load(); }
  std::string_view device_name() const override { return "cpu:0"; }
  ir::Jaxpr strict(const ir::Jaxpr&) const override {
    throw BackendError("compile: Fp::kStrict must have the CPU client; got a build without it.");
  }
  std::shared_ptr<const Executable> compile(const ir::Jaxpr& jaxpr, const ExecutableOptions&) override {
    return std::make_shared<ReferenceExecutable>(ir::dce(jaxpr));
  }
};

}  // namespace

Client& default_client() {
  static ReferenceClient* const client = new ReferenceClient;  // outlives every static array
  return *client;
}
Evaluator& default_evaluator() { return default_client(); }

}  // namespace weft
