// What operations with programs share: derived programs, and rules that act on a program which stands for the
// operation. Private to control/.
#pragma once

#include <string>

#include "weft/core/rules.h"
#include "weft/core/stage.h"
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

void bind_call(const std::string& name, const ir::Jaxpr& program, std::span<const Array> args, Arrays& outs);
void jvp_program(const std::string& name, const ir::Jaxpr& program, std::span<const Array> args,
                 std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents);
void linearize_program(const std::string& name, const ir::Jaxpr& program, std::span<const Array> args,
                       std::span<const Array> tangents, Trace* tangent_trace, Arrays& outs, Arrays& out_tangents);
void transpose_program(const std::string& name, const ir::Jaxpr& program, std::span<const Array> args,
                       std::span<const Array> cts, std::span<GradAccum* const> accums);
void batch_program(const std::string& name, const ir::Jaxpr& program, std::span<const Array> args,
                   std::span<const int> bdims, std::int64_t size, Arrays& outs, Bdims& out_bdims);

/// The operation once per example, in a `while`: for operations or operands that have no batched form.
void batch_by_loop(const Call& call, std::span<const int> bdims, std::int64_t size, Arrays& outs, Bdims& out_bdims);

}  // namespace weft::control
