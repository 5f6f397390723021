// Random dtypes, shapes and elements for random programs. What is hard for a compiler comes often: sizes around the
// length of vectors, zeros of both signs, NaN, infinities, subnormal numbers, the ends of integers' ranges.
#pragma once

#include <vector>

#include "harness/random_source.h"
#include "weft/core/array.h"
#include "weft/ir/jaxpr.h"

namespace weft::testing {

/// What the elements of an array are like.
enum class Fill : std::uint8_t {
  kNormal,    ///< floats near 1; of integers, small ones of both signs
  kSmall,     ///< integers from -4 to 9, also as floats: sums of them are exact
  kMixed,     ///< normal ones with special ones among them
  kAnything,  ///< any bits
  kConstant,  ///< all equal
  kAnyKind,   ///< one of these
};

/// f32 most often, then i32, f64 and bool; any dtype with arithmetic.
DType random_dtype(RandomSource& random);
/// The size of an axis, at most `most`.
std::int64_t random_size(RandomSource& random, std::int64_t most);
/// Ranks 0 to 4, at most `most` elements.
Dims random_shape(RandomSource& random, std::int64_t most);

/// An element of `t`.
void random_element(DType t, Fill fill, RandomSource& random, void* out);
/// Now and then stored once along some axes, as results of broadcasts are.
Array random_array(Aval type, Fill fill, RandomSource& random);
/// A splat: often 0, 1 or 2.
ir::Literal random_literal(Aval type, RandomSource& random);
ir::Literal literal_of(Aval type, double value);

/// Inputs for a program, by its types alone.
std::vector<Array> random_inputs(const ir::Jaxpr& jaxpr, std::uint64_t seed);

}  // namespace weft::testing
