// Uses a header and a compiled function of the library, with no setting of its own.
#include <weft/ir/aval.h>

#include <cstdio>

int main() {
  const weft::Aval aval(weft::f32, weft::Dims{2, 3});
  std::puts(aval.str().c_str());
}
