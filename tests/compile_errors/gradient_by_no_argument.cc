#include "weft/weft.h"
weft::Array f(const weft::Array& x) {
  return weft::grad<1>([](weft::Array y) { return y; })(x);
}
