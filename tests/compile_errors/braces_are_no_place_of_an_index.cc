#include "weft/weft.h"
// 0 is a null pointer, so {0, 1} could be the file and the line of a SourceLocation.
auto f(const weft::Array& x) { return x({weft::slice(), {0, 1}}); }
