// The operators of Array: NumPy's, declared beside the class.
#include "weft/np/ufuncs.h"

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

Array& operator+=(Array& x, const Arg& y) { return x = np::add(Arg(x, y.location()), y); }
Array& operator-=(Array& x, const Arg& y) { return x = np::subtract(Arg(x, y.location()), y); }
Array& operator*=(Array& x, const Arg& y) { return x = np::multiply(Arg(x, y.location()), y); }
Array& operator/=(Array& x, const Arg& y) { return x = np::divide(Arg(x, y.location()), y); }
Array& operator%=(Array& x, const Arg& y) { return x = np::mod(Arg(x, y.location()), y); }
Array& operator&=(Array& x, const Arg& y) { return x = np::bitwise_and(Arg(x, y.location()), y); }
Array& operator|=(Array& x, const Arg& y) { return x = np::bitwise_or(Arg(x, y.location()), y); }
Array& operator^=(Array& x, const Arg& y) { return x = np::bitwise_xor(Arg(x, y.location()), y); }

}  // namespace weft
