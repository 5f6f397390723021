// The functions behind custom_call: registered by name, for as long as the process runs.
//
//   register_custom_call("my_sum", {.eval = [](const CustomCallParams&, std::span<const TensorView> in,
//                                              std::span<const MutableTensorView> out) { ... }});
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "weft/core/rules.h"
#include "weft/ir/programs.h"

namespace weft {

struct CustomCallFunction {
  /// Fills `out`, which has the types that the call says and never overlaps `in`. May run on any thread and on several.
  std::function<void(const CustomCallParams& params, std::span<const TensorView> in,
                     std::span<const MutableTensorView> out)>
      eval;
  /// As JvpRule: the results from `bind(call.op, call.params, call.args, outs)`, and one tangent per result (none is
  /// zero). Without it the function has no derivatives.
  std::function<void(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents)> jvp = {};
};

/// Registers `function` under `name`; ValueError when it is taken or there is no `eval`.
void register_custom_call(const std::string& name, CustomCallFunction function);
/// Removes it again; ValueError when there is none. Calls that run go on.
void unregister_custom_call(const std::string& name);
/// In alphabetical order.
std::vector<std::string> registered_custom_calls();
/// BackendError that lists what is registered when `name` is not.
std::shared_ptr<const CustomCallFunction> find_custom_call(const std::string& name);

}  // namespace weft
