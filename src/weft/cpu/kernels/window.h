// Windows that slide over an array: pooling and the two operations that differentiate it. Knows dtypes and shapes, not
// arrays or ops.
// Invariant: a place takes its elements in row-major order, each step rounded to the type, as reference evaluation
// does: the bits depend neither on threads nor on the instruction set.
#pragma once

#include <optional>
#include <vector>

#include "weft/base/dims.h"
#include "weft/cpu/kernels/epilogue.h"
#include "weft/cpu/kernels/kernel.h"
#include "weft/ir/dtype.h"
#include "weft/ir/window.h"

namespace weft::cpu {

/// A window over arrays of one shape, arranged for loops over lines: the last axis that it slides along, with the axes
/// after it as neighbours that go together.
class SlidingWindow {
 public:
  /// Nothing for windows that the loops do not serve: no axes, no elements, or numbers out of all proportion.
  static std::optional<SlidingWindow> make(const Window& window, DimSpan shape);

  /// y[o...] = the elements that place o sees, one after the other. Whether `epilogue`, if any, was called.
  bool reduce(ReduceOp op, DType t, const void* x, void* y, const Epilogue* epilogue = nullptr) const;
  /// y[i...] = sum of source[o...] over the places o that choose x[i...], in order.
  void select_and_scatter(WindowSelect select, DType t, const void* x, const void* source, void* y) const;
  /// y[o...] = values[i...] where place o chooses x[i...], 0 where it sees nothing.
  void select_and_gather(WindowSelect select, DType t, const void* x, const void* values, void* y) const;

 private:
  struct Axis {
    std::int64_t size, window, stride, base, dilation, low, places;
    std::int64_t element_stride;  // in x
  };
  // What one tap of the line's axis takes: place `place` element `element`, and so on by the steps.
  struct Tap {
    std::int64_t place, element;
    WindowSteps steps;
  };
  template <class F>
  void for_each_source(std::int64_t row, F&& f) const;
  void choose_row(WindowSelect select, DType t, const char* x, std::int64_t row, char* best,
                  std::int32_t* chosen) const;

  std::vector<Axis> outer_;  // the axes before the line's
  std::vector<Tap> taps_;    // of the line's axis, ascending
  std::int64_t rows_ = 1;    // places of the outer axes
  std::int64_t line_ = 0;    // places of a line, neighbours counted
  std::int64_t neighbours_ = 1;
  std::int64_t middle_begin_ = 0, middle_end_ = 0;  // places of a line that see all of taps_
  std::int64_t size_ = 0;                           // elements of x
  std::int64_t cost_ = 1;                           // elements that a line takes, about
  std::int64_t apart_ = 1;                          // leading places of which no two see the same elements
  bool leading_whole_ = false;                      // along those the window does not slide at all
};

/// Served: every kind that `t` has but those of complex and storage types.
bool can_reduce_window(ReduceKind kind, DType t);
/// The kernel's kind: bool sums and products are or and and.
ReduceOp window_op(ReduceKind kind, DType t);
/// Integers and floats.
bool can_select_window(DType t);

}  // namespace weft::cpu
