// What a program must give: reference evaluation, equation by equation, that also knows how far a right implementation
// may be from it.
//
// Most operations are defined to the bit: exact ones on floats, and all on integers. Others are not, and with them goes
// every result that depends on them:
//
//   sums and products of floats   in any order; but sums of integers that the type holds are the same in every order
//   elementary functions          within some units in the last place
//   library calls (dot_general,   as sums; beside that, the only operations in which two forms of compilation (at once,
//   convolution, ...)             step by step) may differ from each other
//
// From there on errors are carried along where that is simple (moves, sums, products, some functions), and are infinite
// where it is not: where a value decides something (compare, floor, an index, a branch, the number of a loop's steps).
// Nobody knows the sign and payload of a NaN that was computed: where those are read, the result may be anything.
#pragma once

#include <vector>

#include "weft/core/array.h"
#include "weft/ir/jaxpr.h"

namespace weft::testing {

/// A result, and by element the largest difference from it; nothing: the very bits; infinite: anything. Of complex
/// numbers, that of either part.
struct Expected {
  Array value;
  std::vector<double> error;     ///< of any implementation
  std::vector<double> mismatch;  ///< between two forms of compilation of one client
};

/// The outputs of `jaxpr` for its constants and inputs.
std::vector<Expected> expected_results(const ir::Jaxpr& jaxpr, std::span<const Array> inputs);

}  // namespace weft::testing
