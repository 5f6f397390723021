// The evaluator of a build without the CPU client: every operation runs its reference
// evaluation on dense host memory, one after the other, on the calling thread. It knows no
// kernels and no threads; what it computes is the meaning of the ops by definition.
#include <cstdlib>

#include "weft/core/evaluator.h"
#include "weft/core/jaxpr_trace.h"
#include "weft/ir/call.h"

namespace weft {

namespace {

class HeapStorage final : public Storage {
 public:
  HeapStorage(void* data, std::size_t bytes) : Storage(data, bytes, free_block) {}

 private:
  static void free_block(Storage* s) {
    std::free(s->data());
    delete static_cast<HeapStorage*>(s);
  }
};

class ReferenceEvaluator final : public Evaluator {
 public:
  Ref<Storage> allocate(std::size_t bytes) override {
    constexpr std::size_t kAlign = 64;
    if (bytes > SIZE_MAX - kAlign) out_of_memory(bytes);
    // aligned_alloc wants a multiple of the alignment; an empty array still has an address.
    const std::size_t rounded = bytes == 0 ? kAlign : (bytes + kAlign - 1) / kAlign * kAlign;
    void* data = std::aligned_alloc(kAlign, rounded);
    if (data == nullptr) out_of_memory(bytes);
    return Ref<Storage>::adopt(new HeapStorage(data, bytes));
  }

  void evaluate(const Call& call, Arrays& outs) override {
    const ir::OpInfo& info = ir::op_info(call.op);
    if (info.eval == nullptr) {
      if (call.op != OpCode::kCall)
        throw InternalError(std::string(ir::op_name(call.op)) + ": the reference client cannot run this operation.");
      return eval_jaxpr(call.params_as<CallParams>().jaxpr, call.args, outs);
    }
    SmallVector<Aval, 4> in_avals;
    SmallVector<detail::HostView, 4> in;
    SmallVector<TensorView, 4> in_views;
    for (const Array& x : call.args) {
      in_avals.push_back(x.aval());
      in.push_back(x.host("evaluate"));
      in_views.push_back(in.back().view);
    }
    ir::Avals out_avals;
    info.infer(call.params.get(), in_avals, out_avals);
    SmallVector<Ref<BufferValue>, 2> out;
    SmallVector<MutableTensorView, 2> out_views;
    for (const Aval aval : out_avals) {
      out.push_back(detail::new_buffer(aval));
      out_views.push_back({aval, out.back()->storage()->data()});
    }
    info.eval(call.params.get(), in_views, out_views);
    for (Ref<BufferValue>& buffer : out) outs.push_back(Array(Ref<const Value>(std::move(buffer))));
  }

  std::string_view device_name() const override { return "cpu:0"; }

 private:
  [[noreturn]] static void out_of_memory(std::size_t bytes) {
    throw BackendError("cpu:0: memory for every result must be available; got a request of " + std::to_string(bytes) +
                       " bytes.");
  }
};

}  // namespace

Evaluator& default_evaluator() {
  // Never destroyed: arrays in static variables may outlive any order of destruction.
  static Evaluator* const evaluator = new ReferenceEvaluator;
  return *evaluator;
}

}  // namespace weft
