#include "weft/api/autodiff.h"

#include <string_view>
#include <unordered_set>

#include "weft/control/linear_map.h"
#include "weft/core/hints.h"

namespace weft::api {

std::vector<bool> inexact_leaves(std::span<const Array> leaves) {
  std::vector<bool> r;
  for (const Array& a : leaves) r.push_back(is_inexact(a.dtype()));
  return r;
}

namespace {

// The first path of `a`, without its root, that `b` does not have.
const std::string* first_without(const PathLeaves& a, const PathLeaves& b) {
  std::unordered_set<std::string_view> there;
  for (const std::string& path : b.paths) there.insert(std::string_view(path).substr(b.root.size()));
  for (const std::string& path : a.paths)
    if (!there.contains(std::string_view(path).substr(a.root.size()))) return &path;
  return nullptr;
}

}  // namespace

void check_same_paths(const std::string& op, const PathLeaves& primals, const PathLeaves& tangents) {
  if (primals.paths.size() == tangents.paths.size()) {
    bool same = true;
    for (std::size_t i = 0; same && i < primals.paths.size(); ++i)
      same = std::string_view(primals.paths[i]).substr(primals.root.size()) ==
             std::string_view(tangents.paths[i]).substr(tangents.root.size());
    if (same) return;
  }
  const std::string* missing = first_without(primals, tangents);
  const std::string* extra = first_without(tangents, primals);
  std::string got = "another order";
  if (missing)
    got = (extra ? *extra + " but nothing" : "nothing") + " for " + *missing;
  else if (extra)
    got = *extra + " for nothing";
  throw TreeError(op + ": " + tangents.root + " must have the structure of " + primals.root + "; got " + got + ".");
}

Arrays match_tangents(const char* what, const PathLeaves& primals, const PathLeaves& tangents) {
  const std::string op(what);
  check_same_paths(op, primals, tangents);
  Arrays r;
  for (std::size_t i = 0; i < primals.arrays.size(); ++i) {
    const Array& p = primals.arrays[i];
    const Array& t = tangents.arrays[i];
    if (!p.defined()) {
      if (t.defined())
        throw TreeError(op + ": " + tangents.paths[i] + " must be none because " + primals.paths[i] + " is; got " +
                        t.aval().str() + ".");
      continue;
    }
    if (t.defined()) {
      if (!is_inexact(p.dtype()))
        throw DTypeError(op + ": " + tangents.paths[i] + " must be none, for integers and bool have no tangent; got " +
                             t.aval().str() + " for " + primals.paths[i] + " of type " + p.aval().str() + ".",
                         "pass a default-constructed Array.");
      if (t.dtype() != p.dtype())
        throw DTypeError(op + ": " + tangents.paths[i] + " must have the dtype of " + primals.paths[i] + "; got " +
                             t.aval().str() + " for " + p.aval().str() + ".",
                         kOneDTypeHint);
      if (!same_dims(t.shape(), p.shape()))
        throw ShapeError(op + ": " + tangents.paths[i] + " must have the shape of " + primals.paths[i] + "; got " +
                         t.aval().str() + " for " + p.aval().str() + ".");
    }
    r.push_back(t);
  }
  return r;
}

Arrays pull_back(transforms::Linearized lin, const std::vector<bool>& differentiated, std::span<const Array> cts) {
  Arrays args = std::move(lin.residuals), out_cts;
  const std::size_t num_residuals = args.size();
  for (const bool d : differentiated)
    if (d) args.push_back(Array());
  for (std::size_t i = 0; i < cts.size(); ++i)
    if (lin.has_tangent[i]) out_cts.push_back(cts[i]);
  const Arrays input_cts = transforms::backward_pass(lin.tangent, std::move(args), std::move(out_cts));
  Arrays r;
  std::size_t next = num_residuals;
  for (const bool d : differentiated) r.push_back(d ? input_cts[next++] : Array());
  return r;
}

Arrays push_forward(const transforms::Linearized& lin, std::span<const Array> primals,
                    const std::vector<bool>& differentiated, std::span<const Array> tangents) {
  Arrays args = lin.residuals, outs, r;
  for (std::size_t i = 0; i < primals.size(); ++i)
    if (differentiated[i]) args.push_back(tangents[i].defined() ? tangents[i] : zeros_of(primals[i].aval()));
  eval_jaxpr(lin.tangent, args, outs);
  std::size_t next = 0;
  for (const bool has : lin.has_tangent) r.push_back(has ? outs[next++] : Array());
  return r;
}

transforms::Linearized linearize_linear(const FlatFunction& f, std::span<const Array> args, const PathLeaves& paths) {
  ir::Avals inputs = avals_of(args);
  const Staged staged = stage(f, inputs, "linear_transpose(f)");
  const std::size_t num_consts = staged.captured.size();
  std::vector<bool> differentiated(num_consts, false);
  for (const bool d : inexact_leaves(args)) differentiated.push_back(d);
  const auto lin = transforms::linearize_jaxpr(staged.jaxpr, differentiated);

  // What the derivative needs of the function's own run must come from constants alone.
  const auto broken = control::not_linear(*lin, differentiated);
  std::size_t leaf = 0;  // of `paths`, which lists the none arrays too
  Arrays values = staged.captured;
  for (std::size_t i = 0; i < args.size(); ++i, ++leaf) {
    while (!paths.arrays[leaf].defined()) ++leaf;
    if (broken && broken->input == num_consts + i) {
      const ForcedLocation line(broken->line);
      throw NotDifferentiableError(
          "linear_transpose: the function must be linear; its derivative depends on " + paths.paths[leaf] + ".",
          "vjp(f, x) gives the transposed derivative of any function at x.");
    }
    values.push_back(differentiated[num_consts + i] ? zeros_of(args[i].aval()) : args[i]);
  }

  transforms::Linearized r;
  eval_jaxpr(control::residuals_of(*lin), values, r.residuals);
  r.tangent = lin->tangent;
  r.has_tangent = lin->has_tangent;
  for (const Aval a : staged.jaxpr.output_avals()) r.outs.push_back(zeros_of(a));
  return r;
}

}  // namespace weft::api
