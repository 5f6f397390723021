// How the CPU runs one operation: which kernel, decided from the op, its parameters and the types
// of its operands. The same decision serves eager operations and steps of compiled programs.
#pragma once

#include <functional>

#include "weft/core/array.h"
#include "weft/cpu/kernels/epilogue.h"
#include "weft/cpu/kernels/kernel.h"
#include "weft/ir/op.h"

namespace weft::cpu {

struct OpPlan {
  enum class Kind : std::uint8_t {
    kElementwise,  ///< `kernel` over operands that may repeat along axes
    kAlias,        ///< results share the operands' memory
    kBroadcast,    ///< the result shares the operand's memory and repeats along axes
    kDense,        ///< `run` on dense operands
    kReference,    ///< the op's reference evaluation
  };
  Kind kind = Kind::kReference;
  bool in_place = false;  ///< out[0] of `run` may be the same memory as in[0], which it then need not copy
  const ElementwiseKernel* kernel = nullptr;
  std::function<void(const void* const* in, void* const* out)> run;
  /// The same with what follows out[0]; false where `epilogue` was not called, as parts do not fit its granule. May be
  /// null.
  std::function<bool(const void* const* in, void* const* out, const Epilogue& epilogue)> run_with;
};

/// `in` and `out` are the types of operands and results.
OpPlan plan_op(OpCode op, const ir::ParamsBase* params, std::span<const Aval> in, std::span<const Aval> out);

/// Which axes of a broadcast_in_dim's result repeat, for a source that repeats along `repeated`;
/// false when the result is no such view because the axes change order.
bool broadcast_repeats(const ir::ParamsBase* params, Aval in, Aval out, std::uint32_t repeated, std::uint32_t& result);

/// Runs a plan on buffers and makes the results. `reuse`, when not null, is a dying dense buffer of
/// the first result's type whose memory an elementwise kernel may take.
void run_plan(const OpPlan& plan, OpCode op, const ir::ParamsBase* params, std::span<const BufferValue* const> in,
              std::span<const Aval> out, const BufferValue* reuse, std::span<Ref<const BufferValue>> results);

/// Runs a plan on dense memory, where results do not overlap operands, but for the first of each with `in_place`.
void run_dense(const OpPlan& plan, OpCode op, const ir::ParamsBase* params, std::span<const TensorView> in,
               std::span<const MutableTensorView> out);

}  // namespace weft::cpu
