// What transformations are steered by: numbers, arrays of one element, and schedules of them.
// Arrays may be traced, so that a rate can be learned, mapped over or changed without compiling again. Numbers are
// checked where a transformation is made; the values of arrays, which may not be known yet, are not.
#pragma once

#include <functional>
#include <type_traits>

#include "weft/core/array.h"

namespace weft::optim {

/// A number, or a real 0-d array (ShapeError, DTypeError), which may be traced.
class Hyperparam {
 public:
  template <class T>
    requires(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>)
  Hyperparam(T number) : number_(static_cast<double>(number)) {}  // implicit by design
  Hyperparam(const Array& value, SourceLocation loc = std::source_location::current());

  bool is_number() const { return !array_.defined(); }
  /// The number, when it is one.
  double number() const { return number_; }
  /// 0-d, converted to `dtype`: what is beside a leaf never changes its dtype.
  Array in(DType dtype) const;
  /// The same in memory of its own, for a state, which may be donated.
  Array copy_in(DType dtype) const;
  /// That of the array, or `otherwise` for a number.
  DType dtype(DType otherwise) const { return is_number() ? otherwise : array_.dtype(); }
  /// f(x): of a double when it is a number, else of the array.
  template <class F>
  Hyperparam map(F&& f) const {
    return is_number() ? Hyperparam(f(number_)) : Hyperparam(f(array_));
  }
  /// 1 - x.
  Hyperparam complement() const;
  /// -x.
  Hyperparam negated() const;
  /// Whether it is a number and this one.
  bool is(double number) const { return is_number() && number_ == number; }

 private:
  double number_ = 0;
  Array array_;  // none: a number
};

/// The value at a step, from the number of steps before it (i32[]); 0-d, and traced where the count is.
using Schedule = std::function<Array(const Array& count)>;

/// A number, a 0-d array, or a schedule: a function from the count to a number or 0-d array (ValueError for an empty
/// one).
class ScalarOrSchedule {
 public:
  template <class T>
    requires(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>)
  ScalarOrSchedule(T number) : scalar_(number) {}  // implicit by design
  ScalarOrSchedule(const Array& value, SourceLocation loc = std::source_location::current()) : scalar_(value, loc) {}
  ScalarOrSchedule(Hyperparam value) : scalar_(std::move(value)) {}
  // An array is callable, too: it takes indices.
  template <class F>
    requires(!std::is_same_v<std::decay_t<F>, Array> && !std::is_same_v<std::decay_t<F>, ScalarOrSchedule> &&
             !std::is_same_v<std::decay_t<F>, Hyperparam> && std::is_invocable_r_v<Array, const F&, const Array&>)
  ScalarOrSchedule(F schedule, SourceLocation loc = std::source_location::current())
      : scalar_(0), schedule_(std::move(schedule)) {
    refuse_empty(loc);
  }

  bool is_schedule() const { return static_cast<bool>(schedule_); }
  /// The number or array, when it is no schedule.
  const Hyperparam& scalar() const { return scalar_; }
  /// The value at a step; `count` matters to schedules alone and may be none otherwise. ShapeError when the schedule
  /// gives more than one number.
  Hyperparam at(const Array& count) const;
  /// The count to begin with: 0 for a schedule, none for what needs no count.
  Array initial_count() const;
  /// The next count: one more, or none.
  Array next_count(const Array& count) const;
  /// f of every value; f takes a double or an Array.
  template <class F>
  ScalarOrSchedule map(F f) const {
    if (!is_schedule()) return scalar_.map(f);
    return Schedule([self = *this, f](const Array& count) { return self.at(count).map(f).in(f32); });
  }

 private:
  void refuse_empty(const SourceLocation& loc) const;
  Hyperparam scalar_;
  Schedule schedule_;  // empty: scalar_ holds
};

/// 0 (i32[]), the count of what has not begun.
Array zero_count();
/// count + 1, but 2^31 - 1 stays what it is: runs that long do not begin anew. i32[].
Array safe_increment(const Array& count);

namespace detail {

/// Checks the arguments of a factory: "<op>: <name> must be ...; got ...". While it lives errors name the user's line.
class Require {
 public:
  Require(const char* op, const SourceLocation& loc) : op_(op), scope_(loc, op) {}
  /// A number, not NaN.
  const Require& number(const char* name, const Hyperparam& x) const;
  const Require& positive(const char* name, const Hyperparam& x) const;
  const Require& not_negative(const char* name, const Hyperparam& x) const;
  /// In [0, 1), as what an average keeps of its past.
  const Require& decay(const char* name, const Hyperparam& x) const;
  /// In [0, 1].
  const Require& fraction(const char* name, const Hyperparam& x) const;
  const Require& number(const char* name, const ScalarOrSchedule& x) const;
  const Require& not_negative(const char* name, const ScalarOrSchedule& x) const;
  /// A schedule, an array, or a whole number of at least `least`.
  const Require& whole(const char* name, const ScalarOrSchedule& x, std::int64_t least) const;
  const Require& at_least(const char* name, std::int64_t x, std::int64_t least) const;
  const Require& floating(const char* name, std::optional<DType> dtype) const;
  [[noreturn]] void fail(const std::string& what, const std::string& got) const;

 private:
  const char* op_;
  LocationScope scope_;
};

}  // namespace detail

}  // namespace weft::optim
