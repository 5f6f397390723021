// The kernels of operations that slide a window over an array: convolution, reduce_window, select_and_scatter and
// select_and_gather_add.
#pragma once

#include <functional>

#include "weft/cpu/kernels/epilogue.h"
#include "weft/ir/op.h"

namespace weft::cpu {

/// How such an operation runs on dense operands.
struct WindowPlan {
  /// `epilogue` may be null; whether it was called. Null when there is no kernel for these types and parameters.
  std::function<bool(const void* const* in, void* const* out, const Epilogue* epilogue)> run = nullptr;
  bool tells = false;  ///< whether it ever calls an epilogue
};

WindowPlan plan_window(OpCode op, const ir::ParamsBase* params, std::span<const Aval> in, std::span<const Aval> out);

}  // namespace weft::cpu
