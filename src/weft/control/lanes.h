// Examples of a vmap that go different ways: each sees a program run that only some of them should run. Private to
// control/.
//
// A lane is an example's share of an operation that runs on all of them. A lane that is off must come to no harm, for
// what it computes is thrown away, but not what it does: raise an error, go round a loop for ever, or have a derivative
// that is NaN and, times a cotangent of zero, still NaN in what all examples share. So it sees what the first lane that
// is on sees, as a constant for differentiation: then nothing happens in it that does not happen there.
#pragma once

#include "weft/control/rules.h"

namespace weft::control {

class Lanes {
 public:
  /// Those where `on`, of type bool[size], holds. At least one must be, unless `any` is asked.
  explicit Lanes(Array on);

  const Array& on() const { return on_; }
  /// x, mapped in front, of lanes that are on, and in the place of others that of the first that is.
  Array operator()(const Array& x) const;
  /// x, which all lanes share: it has a derivative only if one of them is on.
  Array shared(const Array& x) const;
  /// on ? yes : no, both mapped in front.
  Array choose(const Array& yes, const Array& no) const;
  /// Whether any is on.
  Array any() const;
  /// The places of lanes that are on, and in the place of others that of the first that is: i32[size].
  Array places() const;

 private:
  Array on_, first_;
};

/// Whether the program may raise an error or not come to an end, depending on its inputs.
bool may_fail(const ir::Jaxpr& program);
/// Whether an operation in it lets the values of one example reach another along the mapped axis: then all of them
/// count, and none may stand for another.
bool examples_meet_along(const ir::Jaxpr& program, const MappedAxis& axis);
/// Whether it asks for the example's place along the mapped axis, where that can be told it from outside.
bool asks_place(const ir::Jaxpr& program, const MappedAxis& axis);
/// The program with one more constant in front, i32[]: what it is told of its place.
ir::Jaxpr told_place(const ir::Jaxpr& program, const MappedAxis& axis);
/// Whether it holds for any example along the named axes, the same for all of them.
Array any_example(const Array& on, const ir::AxisNames& axes);
/// The program with zeros for its results.
ir::Jaxpr zeros_instead(const ir::Jaxpr& program);
/// The same along any named axis: by a psum, not an axis_index.
bool examples_meet(const ir::Jaxpr& program);

}  // namespace weft::control
