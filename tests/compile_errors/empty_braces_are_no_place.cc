#include "weft/weft.h"
auto f(const weft::Array& x) { return x({weft::slice(), {}}); }
