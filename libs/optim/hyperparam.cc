#include "optim/hyperparam.h"

#include <cmath>
#include <limits>

#include "weft/base/text.h"
#include "weft/weft.h"

namespace weft::optim {

namespace {

// `what` must be ...: "a hyperparameter", "what a schedule gives".
void check_scalar(const std::string& what, const Array& x) {
  if (!x.defined()) throw ValueError("hyperparameter: " + what + " must be a number or a 0-d array; got none.");
  if (x.ndim() != 0)
    throw ShapeError("hyperparameter: " + what + " must be a number or a 0-d array; got " + x.aval().str() + ".");
  if (x.dtype() == boolean || is_complex(x.dtype()))
    throw DTypeError("hyperparameter: " + what + " must be real; got " + x.aval().str() + ".");
}

}  // namespace

Hyperparam::Hyperparam(const Array& value, SourceLocation loc) : array_(value) {
  const LocationScope scope(loc, "hyperparameter");
  check_scalar("a hyperparameter", value);
}

Array Hyperparam::in(DType dtype) const {
  return is_number() ? Array::full({}, dtype, Scalar(number_)) : array_.astype(dtype);
}

Array Hyperparam::copy_in(DType dtype) const { return np::copy(in(dtype)); }

Hyperparam Hyperparam::complement() const {
  return map([](const auto& x) { return 1 - x; });
}
Hyperparam Hyperparam::negated() const {
  return map([](const auto& x) { return -x; });
}

void ScalarOrSchedule::refuse_empty(const SourceLocation& loc) const {
  const LocationScope scope(loc, "hyperparameter");
  if (!schedule_) throw ValueError("hyperparameter: a schedule must be a function; got an empty one.");
}

Hyperparam ScalarOrSchedule::at(const Array& count) const {
  if (!is_schedule()) return scalar_;
  const Array value = schedule_(count);
  check_scalar("what a schedule gives", value);
  return value;
}

Array ScalarOrSchedule::initial_count() const { return is_schedule() ? zero_count() : Array(); }

Array ScalarOrSchedule::next_count(const Array& count) const { return is_schedule() ? safe_increment(count) : Array(); }

Array zero_count() { return np::zeros({}, i32); }

Array safe_increment(const Array& count) {
  return np::minimum(count, std::numeric_limits<std::int32_t>::max() - 1) + 1;
}

namespace detail {

void Require::fail(const std::string& what, const std::string& got) const {
  throw ValueError(std::string(op_) + ": " + what + "; got " + got + ".");
}

namespace {

template <class Holds>
void require(const Require& r, const char* name, const Hyperparam& x, const char* what, Holds holds) {
  if (x.is_number() && !holds(x.number())) r.fail(std::string(name) + " must be " + what, number_str(x.number()));
}

}  // namespace

const Require& Require::number(const char* name, const Hyperparam& x) const {
  require(*this, name, x, "a number", [](double v) { return !std::isnan(v); });
  return *this;
}
const Require& Require::positive(const char* name, const Hyperparam& x) const {
  require(*this, name, x, "positive", [](double v) { return v > 0; });
  return *this;
}
const Require& Require::not_negative(const char* name, const Hyperparam& x) const {
  require(*this, name, x, "0 or more", [](double v) { return v >= 0; });
  return *this;
}
const Require& Require::decay(const char* name, const Hyperparam& x) const {
  require(*this, name, x, "in [0, 1)", [](double v) { return v >= 0 && v < 1; });
  return *this;
}
const Require& Require::fraction(const char* name, const Hyperparam& x) const {
  require(*this, name, x, "in [0, 1]", [](double v) { return v >= 0 && v <= 1; });
  return *this;
}
const Require& Require::number(const char* name, const ScalarOrSchedule& x) const {
  return x.is_schedule() ? *this : number(name, x.scalar());
}
const Require& Require::not_negative(const char* name, const ScalarOrSchedule& x) const {
  return x.is_schedule() ? *this : not_negative(name, x.scalar());
}
const Require& Require::whole(const char* name, const ScalarOrSchedule& x, std::int64_t least) const {
  if (x.is_schedule() || !x.scalar().is_number()) return *this;
  const double v = x.scalar().number();
  if (!(v >= static_cast<double>(least)) || v != std::floor(v) || v > 2147483647.0)
    fail(std::string(name) + " must be a whole number of " + number_str(least) + " or more", number_str(v));
  return *this;
}
const Require& Require::at_least(const char* name, std::int64_t x, std::int64_t least) const {
  if (x < least) fail(std::string(name) + " must be " + number_str(least) + " or more", number_str(x));
  return *this;
}
const Require& Require::floating(const char* name, std::optional<DType> dtype) const {
  if (dtype && !is_float(*dtype))
    throw DTypeError(std::string(op_) + ": " + name + " must be a floating-point dtype; got " +
                     std::string(weft::name(*dtype)) + ".");
  return *this;
}

}  // namespace detail

}  // namespace weft::optim
