#include "weft/compiler/simplify_literal.h"

#include <cstring>
#include <limits>

#include "weft/ir/elements.h"

namespace weft::compiler::simplifying {

using ir::Literal;

Literal number(Aval type, double value) {
  Literal l{type};
  convert_elements(f64, &value, type.dtype(), l.value.data(), 1);
  return l;
}

bool is_number(const Literal& l, double value) { return l.value == number(l.aval, value).value; }

Literal all_ones(Aval type) {
  if (type.dtype() == boolean) return number(type, 1);
  Literal l{type};
  std::memset(l.value.data(), 0xff, static_cast<std::size_t>(byte_size(type.dtype())));
  return l;
}

bool is_all_ones(const Literal& l) { return l.value == all_ones(l.aval).value; }

namespace {

Literal limit(Aval type, bool high) {
  if (!is_integer(type.dtype())) {
    const double infinity = std::numeric_limits<double>::infinity();
    return number(type, high ? infinity : -infinity);
  }
  Literal l{type};
  visit_dtype(type.dtype(), [&]<class T>(TypeTag<T>) {
    if constexpr (std::is_integral_v<T>) {
      const T v = high ? std::numeric_limits<T>::max() : std::numeric_limits<T>::lowest();
      std::memcpy(l.value.data(), &v, sizeof v);
    }
  });
  return l;
}

}  // namespace

Literal highest(Aval type) { return limit(type, true); }
Literal lowest(Aval type) { return limit(type, false); }

Literal reshaped(const Literal& l, Aval type) {
  internal_check(type.dtype() == l.aval.dtype(), "simplify: a literal of another dtype");
  Literal r = l;
  r.aval = type;
  return r;
}

bool same_element(const Literal& a, const Literal& b) { return a.aval.dtype() == b.aval.dtype() && a.value == b.value; }

}  // namespace weft::compiler::simplifying
