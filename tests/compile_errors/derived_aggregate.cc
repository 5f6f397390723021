#include "weft/weft.h"
struct Base {
  weft::Array a;
};
struct Params : Base {
  weft::Array b;
};
weft::Array f(const Params& p) {
  return weft::jit([](Params q) { return q.b; })(p);
}
