// Jaxprs as text, in JAX's current style:
//
//   { lambda ; a:f32[3]. let b:f32[3] = sin a in (b,) }
//
// Captured constants stand before the semicolon. A program that does not fit in 80 columns is
// broken into lines, and so is an equation. Unused results print as `_`.
//
// Programs inside are written where they are used, each time: that is how people read them. Where that would take more
// than kMostWritten equations, or more than kMostNested levels, each is written once, before the program that uses it:
//
//   let program_0 = { lambda ; a:f32[]. let b:f32[] = sin a in (b,) } in
//   { lambda ; a:f32[]. let b:f32[] = jit[name=f jaxpr=program_0] a in (b,) }
#pragma once

#include "weft/ir/jaxpr.h"

namespace weft::ir {

struct PrintOptions {
  /// "  # encoder/layer_0" behind each equation that was staged under a NameScope: a comment to parse. What would end
  /// it is escaped, as in quoted text.
  bool name_scopes = false;
};
std::string print(const Jaxpr& jaxpr, PrintOptions options = {});
inline constexpr std::size_t kMostWritten = 20000;
/// Also the deepest nesting that parse reads, whose stack grows with it.
inline constexpr int kMostNested = 100;

/// One equation on its own, with operand types, for error messages: "mul f32[3] f32[4]".
std::string describe(OpCode op, const ParamsBase* params, std::span<const Aval> operands);

/// "1.0", "2", "True", "(1.0+2.0j)", "nan": an element as literals print it. Any other NaN than the
/// usual one prints with its bits, "nan_FFC00000", so that programs come back from text unchanged.
std::string element_str(DType dtype, const void* element);

}  // namespace weft::ir
