#include "weft/weft.h"
class Params {
 public:
  explicit Params(weft::Array a) : a_(a) {}
  weft::Array a_;
};
weft::Array f(const Params& p) {
  return weft::jit([](Params q) { return q.a_; })(p);
}
