// What operations with programs share: derived programs, and rules that act on a program which stands for the
// operation. Private to control/.
#pragma once

#include <string>

#include "weft/core/rules.h"
#include "weft/core/stage.h"
#include "weft/ir/checks.h"
#include "weft/ir/programs.h"
#include "weft/ops/common.h"
#include "weft/ops/regions.h"

namespace weft::control {

using ir::Avals;
using ir::ParamsBase;
using namespace ops;

// ---- derived programs ----

std::vector<bool> defined(std::span<const Array> arrays);
void append_defined(std::span<const Array> from, Arrays& to);
inline void append(Arrays& to, std::span<const Array> more) { to.append(more.begin(), more.end()); }
/// `n` values of `from`, which moves on.
inline std::span<const Array> take(std::span<const Array>& from, std::size_t n) {
  const std::span<const Array> r = from.first(n);
  from = from.subspan(n);
  return r;
}
inline std::size_t count(const std::vector<bool>& mask) {
  std::size_t n = 0;
  for (const bool b : mask) n += b;
  return n;
}
/// The program of `body`, which closes over nothing, with `num_consts` leading constants; memoised in `base` under
/// `key`.
ir::Jaxpr derive(const ir::Jaxpr& base, const std::string& key, std::span<const Aval> inputs, std::size_t num_consts,
                 const FlatFunction& body);
/// "key(f32[2],i32[])", for memo keys that depend on types.
std::string type_key(std::string key, std::span<const Aval> types);
/// Outputs that exist (`have`) as they are, zeros of their type for others that are `wanted`; none are left out.
void fill_zeros(std::span<const Array> present, const std::vector<bool>& have, const std::vector<bool>& wanted,
                std::span<const Aval> types, Arrays& outs);

// ---- rules by a program that stands for the operation ----

/// Binds a derived program as an operation: a `call`, a `checkpoint`.
using BindProgram = FunctionRef<void(const ir::Jaxpr& program, std::span<const Array> args, Arrays& outs)>;

void bind_call(const std::string& name, const ir::Jaxpr& program, std::span<const Array> args, Arrays& outs);
void jvp_program(BindProgram bind_program, const ir::Jaxpr& program, std::span<const Array> args,
                 std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents);
void transpose_program(BindProgram bind_program, const ir::Jaxpr& program, std::span<const Array> args,
                       std::span<const Array> cts, std::span<GradAccum* const> accums);
void batch_program(BindProgram bind_program, const ir::Jaxpr& program, std::span<const Array> args,
                   std::span<const int> bdims, const MappedAxis& axis, Arrays& outs, Bdims& out_bdims);

// The same by calls under a name.
void jvp_program(const std::string& name, const ir::Jaxpr& program, std::span<const Array> args,
                 std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents);
void linearize_program(const std::string& name, const ir::Jaxpr& program, std::span<const Array> args,
                       std::span<const Array> tangents, Trace* tangent_trace, Arrays& outs, Arrays& out_tangents);
void transpose_program(const std::string& name, const ir::Jaxpr& program, std::span<const Array> args,
                       std::span<const Array> cts, std::span<GradAccum* const> accums);
void batch_program(const std::string& name, const ir::Jaxpr& program, std::span<const Array> args,
                   std::span<const int> bdims, const MappedAxis& axis, Arrays& outs, Bdims& out_bdims);

/// x[i, ...] without its first axis; `i` is a scalar integer.
Array example_of(const Array& x, const Array& i);

/// The operation once per example, in a `scan`: for operations or operands that have no batched form.
void batch_by_loop(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                   Bdims& out_bdims);

}  // namespace weft::control
