// The tests that every sample implies. Each check adds a test failure that reads as a sentence.
#pragma once

#include "samples/sample.h"

namespace weft::testing {

/// Result types are what infer says; values are the expected ones and those of the reference
/// evaluation; a compiled run gives the same bits; the program prints and parses.
void check_evaluation(const Sample& sample);
/// jvp against central differences; the dot-product identity of vjp; second order; through jit.
/// For samples in f64 and c128 with operands that are smooth.
void check_derivatives(const Sample& sample);
/// vmap at each axis of each operand, and of all together, against a loop; sizes 0 and 1.
void check_batching(const Sample& sample);
/// Factors multiply to the axes; shards along factors that pass through compute their own part, and
/// partial sums along reduction factors add up.
void check_factors(const Sample& sample);

}  // namespace weft::testing
