// What a user's program does, with no setting of its own: the gradient of a loss over a struct of parameters,
// compiled. Fails when a value is wrong.
#include <weft/weft.h>

#include <cstdio>

namespace np = weft::np;
using weft::Array;

struct Params {
  Array w, b;
};

Array loss(const Params& p, const Array& x, const Array& y) {
  return np::mean(np::square(np::matmul(x, p.w) + p.b - y));
}

int main() {
  const Array x = np::array({{1.f, 2.f}, {3.f, 4.f}}), y = np::array({1.f, 2.f});
  const Params p{np::array({1.f, -1.f}), Array(0.5f)};
  // The residuals are -1.5 and -2.5, so dw = x^T r = [-9, -13] and db = sum r = -4.
  const Params g = weft::jit(weft::grad(loss))(p, x, y);
  std::printf("%s %s\n", g.w.repr().c_str(), g.b.str().c_str());
  return g.w.to_vector<float>() == std::vector<float>{-9, -13} && g.b.item<float>() == -4 ? 0 : 1;
}
