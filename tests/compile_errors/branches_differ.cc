#include "weft/weft.h"
auto f(const weft::Array& x) {
  return weft::cond(x, [](weft::Array y) { return y; }, [](weft::Array y) { return std::pair(y, y); }, x);
}
