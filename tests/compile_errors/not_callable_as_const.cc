#include "weft/weft.h"
struct Scale {
  weft::Array operator()(weft::Array y) & { return y * 2; }
};
auto f(const weft::Array& x) { return weft::jit(Scale())(x); }
