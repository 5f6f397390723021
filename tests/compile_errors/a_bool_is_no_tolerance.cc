#include "weft/weft.h"
auto f(const weft::Array& x) { return weft::np::allclose(x, x, true); }
