#include "weft/control/rules.h"

#include "weft/control/programs.h"
#include "weft/ir/builder.h"
#include "weft/ir/call.h"
#include "weft/ops/common.h"
#include "weft/transforms/jvp.h"
#include "weft/transforms/linearize.h"
#include "weft/transforms/transpose.h"
#include "weft/transforms/vmap.h"

namespace weft::control {

std::vector<bool> defined(std::span<const Array> arrays) {
  std::vector<bool> mask;
  for (const Array& a : arrays) mask.push_back(a.defined());
  return mask;
}

void append_defined(std::span<const Array> from, Arrays& to) {
  for (const Array& a : from)
    if (a.defined()) to.push_back(a);
}

ir::Jaxpr derive(const ir::Jaxpr& base, const std::string& key, std::span<const Aval> inputs, std::size_t num_consts,
                 const FlatFunction& body) {
  return *base.memo<ir::Jaxpr>(key, [&] {
    const Staged staged = stage(body, inputs, "program");
    check_closed(staged);
    return std::make_shared<const ir::Jaxpr>(ir::with_num_consts(staged.jaxpr, num_consts));
  });
}

std::string type_key(std::string key, std::span<const Aval> types) {
  for (const Aval a : types) key += "," + a.str();
  return key;
}

void fill_zeros(std::span<const Array> present, const std::vector<bool>& have, const std::vector<bool>& wanted,
                std::span<const Aval> types, Arrays& outs) {
  std::size_t next = 0;
  for (std::size_t i = 0; i < have.size(); ++i) {
    if (have[i])
      outs.push_back(present[next++]);
    else if (wanted[i])
      outs.push_back(zeros_of(types[i]));
  }
}

// ---- rules by a program ----

void bind_call(const std::string& name, const ir::Jaxpr& program, std::span<const Array> args, Arrays& outs) {
  bind(OpCode::kCall, ir::make_params(CallParams{name, program}), args, outs);
}

namespace {

// Binds calls under a name.
auto calls(const std::string& name) {
  return [&name](const ir::Jaxpr& program, std::span<const Array> args, Arrays& outs) {
    bind_call(name, program, args, outs);
  };
}

}  // namespace

void jvp_program(BindProgram bind_program, const ir::Jaxpr& program, std::span<const Array> args,
                 std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  const auto derived = transforms::jvp_jaxpr(program, defined(tangents));
  Arrays operands(args), results;
  append_defined(tangents, operands);
  bind_program(derived->jaxpr, operands, results);
  const std::size_t n = program.outputs().size();
  for (std::size_t i = 0, j = n; i < n; ++i) {
    outs.push_back(results[i]);
    out_tangents.push_back(derived->out_nonzero[i] ? results[j++] : Array());
  }
}

void jvp_program(const std::string& name, const ir::Jaxpr& program, std::span<const Array> args,
                 std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  jvp_program(calls(name), program, args, tangents, outs, out_tangents);
}

namespace {

// Whether a program keeps so many more values for its tangents than it has equations that it is better run again.
// Functions that each call the one before twice would keep twice as many with every level.
bool runs_again(const ir::Jaxpr& program, const transforms::LinearizedJaxpr& lin) {
  constexpr std::size_t kMostResiduals = 16384;
  return lin.num_residuals > kMostResiduals && lin.num_residuals > 8 * ir::count_distinct_eqns(program) &&
         !ir::has_effects(program);
}

// (inputs, tangents) -> tangents, where the primal part runs again for what it keeps.
ir::Jaxpr tangent_of_rerun(const std::string& name, const ir::Jaxpr& program, const std::vector<bool>& nonzero,
                           const transforms::LinearizedJaxpr& lin) {
  const std::size_t n = program.num_inputs();
  Avals inputs = program.input_avals();
  for (std::size_t i = 0; i < n; ++i)
    if (nonzero[i]) inputs.push_back(inputs[i]);
  return derive(program, transforms::mask_key("tangent of rerun", nonzero), inputs, 0,
                [&](std::span<const Array> args, Arrays& outs) {
                  Arrays results;
                  bind_call(name, lin.primal, args.first(n), results);
                  Arrays operands(std::span<const Array>(results).subspan(program.outputs().size()));
                  operands.append(args.begin() + n, args.end());
                  bind_call(name, lin.tangent, operands, outs);
                });
}

}  // namespace

void linearize_program(const std::string& name, const ir::Jaxpr& program, std::span<const Array> args,
                       std::span<const Array> tangents, Trace* tangent_trace, Arrays& outs, Arrays& out_tangents) {
  const auto lin = transforms::linearize_jaxpr(program, defined(tangents));
  const bool again = runs_again(program, *lin);
  Arrays results;
  bind_call(name, again ? program : lin->primal, args, results);
  const std::size_t n = program.outputs().size();
  Arrays tangent_args = again ? Arrays(args) : Arrays(std::span<const Array>(results).subspan(n)), tangent_results;
  append_defined(tangents, tangent_args);
  if (!lin->tangent.outputs().empty()) {
    const ir::Jaxpr tangent = again ? tangent_of_rerun(name, program, defined(tangents), *lin) : lin->tangent;
    const CurrentTrace staging(tangent_trace);
    bind_call(name, tangent, tangent_args, tangent_results);
  }
  for (std::size_t i = 0, j = 0; i < n; ++i) {
    outs.push_back(results[i]);
    out_tangents.push_back(lin->has_tangent[i] ? tangent_results[j++] : Array());
  }
}

void transpose_program(BindProgram bind_program, const ir::Jaxpr& program, std::span<const Array> args,
                       std::span<const Array> cts, std::span<GradAccum* const> accums) {
  std::vector<bool> linear;
  Arrays operands, results;
  for (std::size_t i = 0; i < args.size(); ++i) {
    linear.push_back(accums[i] != nullptr);
    if (!accums[i]) operands.push_back(args[i]);
  }
  append_defined(cts, operands);
  const auto derived = transforms::transpose_jaxpr(program, linear, defined(cts));
  bind_program(derived->jaxpr, operands, results);
  std::size_t next_input = 0, next_result = 0;
  for (GradAccum* accum : accums)
    if (accum && derived->out_nonzero[next_input++]) accum->add(results[next_result++]);
}

void transpose_program(const std::string& name, const ir::Jaxpr& program, std::span<const Array> args,
                       std::span<const Array> cts, std::span<GradAccum* const> accums) {
  transpose_program(calls(name), program, args, cts, accums);
}

void batch_program(BindProgram bind_program, const ir::Jaxpr& program, std::span<const Array> args,
                   std::span<const int> bdims, const MappedAxis& axis, Arrays& outs, Bdims& out_bdims) {
  const auto derived = transforms::batch_jaxpr(program, bdims, axis);
  bind_program(derived->jaxpr, args, outs);
  out_bdims = derived->out_bdims;
}

void batch_program(const std::string& name, const ir::Jaxpr& program, std::span<const Array> args,
                   std::span<const int> bdims, const MappedAxis& axis, Arrays& outs, Bdims& out_bdims) {
  batch_program(calls(name), program, args, bdims, axis, outs, out_bdims);
}

Array example_of(const Array& x, const Array& i) {
  Arrays start;
  Dims sizes(x.shape()), shape(x.shape().subspan(1));
  sizes[0] = 1;
  for (int axis = 0; axis < x.ndim(); ++axis) start.push_back(axis == 0 ? i : zeros_of(i.aval()));
  return lax::reshape(lax::dynamic_slice(x, start, sizes), shape);
}

void batch_by_loop(const Call& call, std::span<const int> bdims, const MappedAxis& mapped_axis, Arrays& outs,
                   Bdims& out_bdims) {
  // What all examples share is captured, the rest scanned over.
  Arrays shared, slices;
  Avals types;
  for (std::size_t i = 0; i < call.args.size(); ++i)
    if (bdims[i] == kUnmapped) {
      shared.push_back(call.args[i]);
      types.push_back(call.args[i].aval());
    }
  for (std::size_t i = 0; i < call.args.size(); ++i)
    if (bdims[i] != kUnmapped) {
      slices.push_back(ops::bdim_to(call.args[i], bdims[i], 0, mapped_axis.size));
      types.push_back(slices.back().aval().with_shape(slices.back().shape().subspan(1)));
    }
  const Staged body = stage(
      [&](std::span<const Array> in, Arrays& results) {
        std::span<const Array> own = in.subspan(shared.size());
        Arrays args;
        for (const int b : bdims) args.push_back(take(b == kUnmapped ? in : own, 1)[0]);
        bind(call.op, call.params, args, results);
      },
      types, "vmap");
  append(outs, lax::scan_(ir::with_num_consts(body.jaxpr, shared.size()), shared, {}, slices, mapped_axis.size));
  out_bdims.assign(outs.size(), 0);
}

}  // namespace weft::control
