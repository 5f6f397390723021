#include "weft/runtime/reference.h"

namespace weft {

void reference_evaluate(Evaluator& evaluator, const Call& call, Arrays& outs) {
  const ir::OpInfo& info = ir::op_info(call.op);
  ir::Avals results;
  ir::infer(call.op, call.params.get(), avals_of(call.args), results);
  internal_check(info.eval != nullptr, "reference_evaluate: an operation has no reference evaluation");

  SmallVector<Ref<const BufferValue>, 4> dense;  // keeps expanded operands alive
  SmallVector<TensorView, 4> inputs;
  for (const Array& a : call.args) {
    dense.push_back(detail::materialize(*a.buffer()));
    inputs.push_back({a.aval(), dense.back()->data()});
  }
  SmallVector<MutableTensorView, 4> outputs;
  for (const Aval aval : results) {
    auto buffer = make_ref<BufferValue>(aval, evaluator.allocate(static_cast<std::size_t>(aval.bytes())));
    outputs.push_back({aval, buffer->storage()->data()});
    outs.push_back(Array(Ref<const Value>(std::move(buffer))));
  }
  ir::evaluate(call.op, call.params.get(), inputs, outputs);
}

}  // namespace weft
