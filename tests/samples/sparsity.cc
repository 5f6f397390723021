// Patterns that are found from programs, against all entries of small dense Jacobians.
#include "weft/transforms/sparsity.h"
#include "harness/functions.h"
#include "harness/values.h"
#include "samples/checks.h"

namespace weft::testing {

namespace {

// Whether derivative [i, j], of element i of the results by element j of an operand, is other than zero.
using Dense = std::vector<std::vector<bool>>;

Dense nonzero_derivatives(const FlatFunction& f, const Arrays& args, int operand) {
  const Aval x = args[static_cast<std::size_t>(operand)].aval();
  const FlatFunction push = pushforward(f, args.size(), {operand});
  Dense r;
  for (std::size_t j = 0; j < static_cast<std::size_t>(x.size()); ++j)
    for (const Complex unit : {Complex(1, 0), Complex(0, 1)}) {
      if (unit.imag() != 0 && !is_complex(x.dtype())) continue;
      std::vector<Complex> basis(static_cast<std::size_t>(x.size()), 0);
      basis[j] = unit;
      std::size_t i = 0;
      for (const Array& column : call(push, joined(args, Arrays{array_of(x, basis)})))
        for (const Complex e : elements(column)) {
          if (i == r.size()) r.emplace_back(basis.size(), false);
          if (e != Complex(0)) r[i][j] = true;
          ++i;
        }
    }
  return r;
}

// The pattern of `f` by argument `by`; values of the others are known or not.
SparsityPattern pattern_of(const FlatFunction& f, const Arrays& args, std::span<const std::size_t> by, bool known) {
  const Staged program = stage(f, avals_of(args), "f");
  std::vector<bool> differentiated(program.jaxpr.num_inputs(), false);
  Arrays inputs = program.captured;
  for (const Array& a : args) inputs.push_back(known ? a : Array());
  for (const std::size_t i : by) differentiated[program.captured.size() + i] = true;
  return transforms::jacobian_sparsity(program.jaxpr, differentiated, inputs);
}

std::string missing(const Dense& dense, const SparsityPattern& p, bool transposed) {
  for (std::size_t i = 0; i < dense.size(); ++i)
    for (std::size_t j = 0; j < dense[i].size(); ++j) {
      const auto row = static_cast<std::int64_t>(transposed ? j : i),
                 col = static_cast<std::int64_t>(transposed ? i : j);
      if (dense[i][j] && !p.contains(row, col))
        return "the pattern must have entry (" + std::to_string(row) + ", " + std::to_string(col) + "); got " + p.str();
    }
  return "";
}

}  // namespace

void checks::sparsity(const Sample& sample, Findings& findings) {
  constexpr std::int64_t kMostEntries = 4000;
  const Arrays args = make_operands(sample);
  const FlatFunction f = [op = operation(sample)](std::span<const Array> a, Arrays& outs) {
    for (const Array& y : inexact(call(op, a))) outs.push_back(y);
  };
  const Arrays results = call(f, args);
  std::int64_t rows = 0;
  for (const Array& y : results) rows += y.size();
  for (const int i : sample.smooth_in) {
    const auto operand = static_cast<std::size_t>(i);
    if (rows * args[operand].size() > kMostEntries) continue;
    const Dense dense = nonzero_derivatives(f, args, i);
    Arrays with_cts = args;
    std::vector<std::size_t> cts;
    for (const Array& y : results) {
      cts.push_back(with_cts.size());
      with_cts.push_back(y);
    }
    for (const bool known : {true, false}) {
      const std::string what =
          "by operand " + std::to_string(i) + (known ? ", the others known" : ", the others unknown");
      findings.add("pattern " + what, missing(dense, pattern_of(f, args, std::array{operand}, known), false));
      findings.add("pattern of the transpose " + what,
                   missing(dense, pattern_of(pullback(f, args.size(), {i}), with_cts, cts, known), true));
    }
  }
}

}  // namespace weft::testing
