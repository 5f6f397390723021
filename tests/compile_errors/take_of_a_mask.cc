#include "weft/weft.h"
auto f(const weft::Array& x) { return weft::np::take(x, {true, false}, 0); }
