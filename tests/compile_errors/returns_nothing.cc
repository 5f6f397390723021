#include "weft/weft.h"
void f(const weft::Array& x) {
  weft::vmap([](weft::Array) {})(x);
}
