// A sample: one operation with parameters and operands, from which the harness derives its tests
// (evaluation, derivatives, batching, ...). Holds no arrays, so lists of samples cost nothing.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "weft/core/array.h"
#include "weft/ir/op.h"

namespace weft::testing {

struct SampleOperand {
  DType dtype;
  Dims shape;
  /// Elements are spread evenly over the open interval, in a scrambled order; both parts of complex.
  double low = -2, high = 2;
  /// When not empty: the elements themselves, used in turn; of complex, real and imaginary parts.
  std::vector<double> values = {};
};

struct Sample {
  /// "power_of_integers": unique among all samples.
  std::string name;
  OpCode op;
  ir::Params params = {};
  std::vector<SampleOperand> operands = {};
  /// Operands by which the results vary smoothly near these values: derivatives by them are compared
  /// with differences. Empty for operations without derivatives.
  std::vector<int> smooth_in = {};
  /// The elements of result `known_result` where known from elsewhere, to compare with `tolerance`
  /// relative to 1 + |element|; of complex, real and imaginary parts in turn.
  std::vector<double> expected = {};
  double tolerance = 1e-6;
  /// The same by a formula of its own, from the elements of the operands.
  std::function<std::vector<double>(const std::vector<std::vector<double>>&)> formula = {};
  std::size_t known_result = 0;
};

/// The operands as arrays; the same ones on every call. Other examples have the same types and
/// ranges but other elements (explicit values go on where the example before stopped).
Arrays make_operands(const Sample& sample, int example = 0);

std::vector<Sample> elementwise_samples();
std::vector<Sample> contraction_samples();
std::vector<Sample> shape_samples();
std::vector<Sample> indexing_samples();
/// Convolution, windows.
std::vector<Sample> window_samples();
/// Transforms, matrices, top_k, StableHLO's random numbers.
std::vector<Sample> linalg_samples();
/// Storage types (f8, i4, ...) and total order, in operations of all families.
std::vector<Sample> storage_samples();
/// Random bits, identities, calls.
std::vector<Sample> other_samples();

/// Operations that carry programs, and collectives.
std::vector<Sample> program_samples();

/// The samples of every operation.
const std::vector<Sample>& all_samples();

}  // namespace weft::testing
