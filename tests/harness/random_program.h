// Random programs for differential tests: always well typed, always ending, of all operations that clients run by
// themselves, in combinations that people write and in ones that nobody would. The same seed gives the same program in
// every build by the same compiler (the order in which arguments are evaluated matters).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "weft/core/array.h"
#include "weft/ir/jaxpr.h"

namespace weft::testing {

struct RandomProgramOptions {
  int most_eqns = 36;      ///< at the top level, about
  double most_work = 4e5;  ///< element operations of a reference evaluation, about; some programs take more
};

/// A program and arrays for its constants and inputs.
struct RandomProgram {
  ir::Jaxpr jaxpr;
  std::vector<Array> inputs;
};

RandomProgram random_program(std::uint64_t seed, const RandomProgramOptions& options = {});

/// How often each operation stands in a program, also inside of others, by its name in jaxpr text.
void count_operations(const ir::Jaxpr& jaxpr, std::map<std::string, int>& counts);

}  // namespace weft::testing
