#include "weft/weft.h"
auto f() { return weft::np::sin({3, {0, 1}}); }
