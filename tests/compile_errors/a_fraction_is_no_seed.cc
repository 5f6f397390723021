#include "weft/weft.h"
auto f() { return weft::random::key(0.7); }
