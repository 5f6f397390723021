#include "weft/weft.h"
auto f(const weft::Array& x) {
  return weft::jit([](weft::Array y, int n) { return y * n; })(x, 2.5);
}
