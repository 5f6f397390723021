// The operators of Array: NumPy's, declared beside the class. Compound assignment keeps the array's dtype and shape.
#include "weft/np/ufuncs.h"
#include "weft/ops/lax.h"

namespace weft {

Array operator+(const Arg& x, const Arg& y) { return np::add(x, y); }
Array operator-(const Arg& x, const Arg& y) { return np::subtract(x, y); }
Array operator*(const Arg& x, const Arg& y) { return np::multiply(x, y); }
Array operator/(const Arg& x, const Arg& y) { return np::divide(x, y); }
Array operator%(const Arg& x, const Arg& y) { return np::mod(x, y); }
Array operator&(const Arg& x, const Arg& y) { return np::bitwise_and(x, y); }
Array operator|(const Arg& x, const Arg& y) { return np::bitwise_or(x, y); }
Array operator^(const Arg& x, const Arg& y) { return np::bitwise_xor(x, y); }
Array operator<<(const Arg& x, const Arg& y) { return np::left_shift(x, y); }
Array operator>>(const Arg& x, const Arg& y) { return np::right_shift(x, y); }
Array operator==(const Arg& x, const Arg& y) { return np::equal(x, y); }
Array operator!=(const Arg& x, const Arg& y) { return np::not_equal(x, y); }
Array operator<(const Arg& x, const Arg& y) { return np::less(x, y); }
Array operator<=(const Arg& x, const Arg& y) { return np::less_equal(x, y); }
Array operator>(const Arg& x, const Arg& y) { return np::greater(x, y); }
Array operator>=(const Arg& x, const Arg& y) { return np::greater_equal(x, y); }

Array operator-(const Arg& x) { return np::negative(x); }
Array operator~(const Arg& x) { return np::bitwise_not(x); }
Array operator!(const Array& x) { return np::logical_not(Arg(x, SourceLocation())); }

namespace {

// NumPy's same_kind: bool < unsigned < signed < float < complex.
int kind(DType t) {
  if (t == boolean) return 0;
  return is_unsigned(t) ? 1 : is_integer(t) ? 2 : is_float(t) ? 3 : 4;
}

// x = f(x, y), which must keep x's shape and kind of numbers; x keeps its dtype, as in NumPy.
Array& in_place(std::string_view op, Array& x, Array (*f)(const Arg&, const Arg&), const Arg& y) {
  const LocationScope scope(y.location(), op);
  Array r = f(Arg(x, y.location()), y);
  if (r.aval() == x.aval()) return x = std::move(r);
  const std::string sign(op.substr(8, op.size() - 9));
  if (kind(r.dtype()) > kind(x.dtype()))
    throw DTypeError(
        std::string(op) + ": x must keep its dtype, which must hold the result's kind of numbers; got " +
            r.aval().str() + " for x of type " + x.aval().str() + ".",
        "write x = x " + sign + " y to change the dtype, or " +
            (sign == "/" && is_integer(x.dtype()) ? std::string("x = np::floor_divide(x, y) to divide integers.")
             : is_complex(r.dtype())              ? std::string("take np::real(y).")
                                                  : "convert y with astype(" + std::string(name(x.dtype())) + ")."));
  if (!same_dims(r.shape(), x.shape()))
    throw ShapeError(std::string(op) + ": x must keep its shape; got a result " + r.aval().str() + " for x of type " +
                         x.aval().str() + ".",
                     "write x = x " + sign + " y to change the shape.");
  return x = lax::convert(r, x.dtype());
}

}  // namespace

Array& operator+=(Array& x, const Arg& y) { return in_place("operator+=", x, np::add, y); }
Array& operator-=(Array& x, const Arg& y) { return in_place("operator-=", x, np::subtract, y); }
Array& operator*=(Array& x, const Arg& y) { return in_place("operator*=", x, np::multiply, y); }
Array& operator/=(Array& x, const Arg& y) { return in_place("operator/=", x, np::divide, y); }
Array& operator%=(Array& x, const Arg& y) { return in_place("operator%=", x, np::mod, y); }
Array& operator&=(Array& x, const Arg& y) { return in_place("operator&=", x, np::bitwise_and, y); }
Array& operator|=(Array& x, const Arg& y) { return in_place("operator|=", x, np::bitwise_or, y); }
Array& operator^=(Array& x, const Arg& y) { return in_place("operator^=", x, np::bitwise_xor, y); }

}  // namespace weft
