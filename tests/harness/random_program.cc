#include "harness/random_program.h"

#include <algorithm>

#include "harness/program_scope.h"
#include "weft/ir/nested.h"

namespace weft::testing {

namespace {

// The types that most values of a program have, so that they fit together.
void choose_types(Generation& g, bool large) {
  RandomSource& random = g.random;
  for (std::int64_t n = random.between(1, 3); n > 0; --n) {
    Dims shape = random_shape(random, 3000);
    if (large) {
      const std::int64_t size = random.chance(0.3) ? random.between(32768, 40000) : random.between(1000, 20000);
      shape = random.chance(0.5)   ? Dims{size}
              : random.chance(0.5) ? Dims{random.between(1, 3), size / 2}
                                   : Dims{size / 16, random.between(7, 17)};
    }
    g.shapes.push_back(shape);
  }
  for (int i = 0; i < 3; ++i) g.dtypes.push_back(random_dtype(random));
}

Aval type_of_input(Generation& g) {
  RandomSource& random = g.random;
  const DType t = random.chance(0.7) ? random.of(g.dtypes) : random_dtype(random);
  if (random.chance(0.15)) return Aval(t, random_shape(random, 500));
  Dims shape = random.of(g.shapes);
  // Parts of it, which broadcast to it.
  if (random.chance(0.25) && !shape.empty()) shape.erase(shape.begin());
  if (random.chance(0.15) && !shape.empty())
    shape[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(shape.size())))] = 1;
  if (random.chance(0.05)) shape = {};
  return Aval(t, shape);
}

}  // namespace

RandomProgram random_program(std::uint64_t seed, const RandomProgramOptions& options) {
  RandomSource random(seed);
  const bool large = random.chance(0.1);
  Generation g{random};
  g.exact = random.chance(0.4);
  g.work_left = options.most_work * (large ? 3 : 1);
  g.most_elements = large ? 100'000 : 20'000;
  choose_types(g, large);
  Scope scope(g);
  g.closed = random.chance(0.03);
  if (!g.closed)
    for (std::int64_t n = random.between(1, 4); n > 0; --n) scope.add_input(type_of_input(g));
  // Mostly a few equations, sometimes none, sometimes many.
  const double spread = random.uniform();
  const int count = random.chance(0.01) ? 0 : 1 + static_cast<int>(spread * spread * (large ? 12 : options.most_eqns));
  fill_scope(scope, count);
  const std::int64_t most = random.chance(0.3) ? 30 : random.between(1, 9);
  const Operands outputs = scope.some_outputs(static_cast<std::size_t>(most));
  RandomProgram program{scope.finish(outputs), {}};
  for (std::size_t i = 0; i < program.jaxpr.num_inputs(); ++i)
    program.inputs.push_back(random_array(program.jaxpr.aval(static_cast<ir::Var>(i)), g.fills[i], random));
  if (random.chance(0.1))
    program.jaxpr = ir::with_num_consts(
        program.jaxpr, static_cast<std::size_t>(random.below(static_cast<std::int64_t>(program.inputs.size()) + 1)));
  return program;
}

void count_operations(const ir::Jaxpr& jaxpr, std::map<std::string, int>& counts) {
  for (const ir::Eqn& e : jaxpr.eqns()) {
    ++counts[std::string(ir::op_text(e.op))];
    if (e.params)
      ir::for_each_program(*e.params, ir::Programs::kRun, [&](const ir::Jaxpr& p) { count_operations(p, counts); });
  }
}

}  // namespace weft::testing
