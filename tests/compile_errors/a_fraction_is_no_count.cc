#include "weft/weft.h"
auto f() { return weft::np::eye(2.7); }
