// What memory a program takes.
#pragma once

#include <iosfwd>

#include "weft/ir/jaxpr.h"

namespace weft {

/// In bytes. While a program runs, it needs arguments + captured + outputs - in_place + workspace, and what operations
/// without code of their own (sort, convolution, ...) take inside.
struct ProgramMemory {
  std::int64_t arguments = 0;
  std::int64_t captured = 0;  ///< arrays that the function captured
  std::int64_t outputs = 0;
  std::int64_t in_place = 0;   ///< of the outputs: made in the memory of donated arguments, or those as they came
  std::int64_t unused = 0;     ///< of the donated arguments: no output is there
  std::int64_t workspace = 0;  ///< of the values in between: one arena, the same for each call
  /// Of the workspace: what is in use at once, in the order in which the program computes. No placement needs less.
  std::int64_t workspace_at_least = 0;
  std::int64_t literals = 0;  ///< constants that operations read from memory
  std::int64_t code = 0;  ///< the object files, with literals; more where more threads made them; 0 without a compiler

  /// One line for each of them.
  std::string str() const;
};

std::ostream& operator<<(std::ostream& out, const ProgramMemory& memory);

/// Of a program that runs equation by equation, each value released after its last use. Arguments and captured arrays
/// together are `arguments`.
ProgramMemory stepwise_memory(const ir::Jaxpr& jaxpr);

}  // namespace weft
