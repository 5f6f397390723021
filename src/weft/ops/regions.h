// What operations with programs and computations on scalars share: checks of their types, conversion of operands to
// them, windows. Private to ops/ and control/.
#pragma once

#include <cstring>
#include <vector>

#include "weft/core/rules.h"
#include "weft/ir/interpret.h"
#include "weft/ir/jaxpr.h"
#include "weft/ir/window.h"

namespace weft::ops {

using ir::Avals;

// ---- types of programs ----

/// Throws ShapeError or ValueError unless `program` exists and its inputs have types `in`, which begin with those of
/// its captures. `what` names it: "body of while".
void check_inputs(std::string_view op, std::string_view what, const ir::Jaxpr& program, std::span<const Aval> in);
/// The same for its outputs.
void check_outputs(std::string_view op, std::string_view what, const ir::Jaxpr& program, std::span<const Aval> out);
/// How many values `program` captures; ValueError when there is no program, ShapeError when there are fewer operands.
std::size_t num_captures(std::string_view op, std::string_view what, const ir::Jaxpr& program,
                         std::span<const Aval> in);
/// The type of a scalar.
inline Aval scalar_of(DType t) { return Aval(t, {}); }
/// Whether elements of type `from` may be given to a computation in type `to`: the same category, not narrower.
bool promotes(DType from, DType to);

/// Operands of generic_reduce and its kin, told apart: captures, n arrays, and what follows.
struct RegionOperands {
  std::size_t captures = 0;
  std::size_t count = 0;  // of arrays
};

/// Checks a computation that takes n accumulated and n new scalars and gives n: all of the dtypes that it gives, to
/// which those in `arrays` must promote. Returns the dtypes.
std::vector<DType> check_computation(std::string_view op, const ir::Jaxpr& computation, std::span<const Aval> captures,
                                     std::span<const Aval> arrays);
/// All of one shape.
void check_same_shape(std::string_view op, const char* what, std::span<const Aval> arrays);

/// `x` with its elements in `dtype`: itself when they are.
class InDType {
 public:
  InDType(const TensorView& x, DType dtype);
  const std::byte* at(std::int64_t i) const { return data_ + i * size_; }
  std::int64_t element_size() const { return size_; }

 private:
  std::vector<std::byte> memory_;
  const std::byte* data_;
  std::int64_t size_;
};

/// Whether a rule for an operation whose first `n` operands are captures may leave them alone.
inline bool all_unmapped(std::span<const int> bdims) {
  for (const int b : bdims)
    if (b != kUnmapped) return false;
  return true;
}

// ---- windows ----

/// How many places a window has along each axis of `x`. ShapeError or ValueError naming `op` unless the window fits the
/// rank and its numbers are sound; positions in the padded array then never overflow.
Dims window_places(std::string_view op, const Window& window, Aval x);
/// The window with one more axis in front, of size 1.
Window window_past_front(const Window& window);

/// The position in x of element `w` of the window at place `o`, in row-major order; -1 in padding and holes.
inline std::int64_t window_position(const Window& window, DimSpan x_shape, const Dims& o, const Dims& w) {
  std::int64_t position = 0;
  for (std::size_t i = 0; i < x_shape.size(); ++i) {
    std::int64_t p = o[i] * window.strides[i] + w[i] * window.window_dilations[i] - window.padding_low[i];
    if (p < 0 || p % window.base_dilations[i] != 0) return -1;
    p /= window.base_dilations[i];
    if (p >= x_shape[i]) return -1;
    position = position * x_shape[i] + p;
  }
  return position;
}

}  // namespace weft::ops
