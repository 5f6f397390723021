#include "weft/weft.h"
weft::Array f(const weft::Array& x) {
  return weft::jit([](weft::Array& y) { return y; })(x);
}
