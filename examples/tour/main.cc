// The basics of Weft, printed step by step.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <iostream>

#include "weft/weft.h"

#ifdef WEFT_TOUR_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#endif

using weft::Array;
namespace np = weft::np;

namespace {

void heading(const char* text) { std::cout << "\n--- " << text << "\n"; }

template <class F>
double milliseconds(int runs, F&& f) {
  f();  // warm up
  double best = 1e300;
  for (int i = 0; i < runs; ++i) {
    const auto start = std::chrono::steady_clock::now();
    f();
    best = std::min(best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

void products(int n) {
  heading("a large product");
  const Array x = weft::random::normal(weft::random::key(0), {n, n});
  std::cout << "x = " << x << "\n";
  const double ms = milliseconds(1, [&] { np::dot(x, x.T()); });
  std::cout << "np::dot(x, x.T()): " << ms << " ms, " << 2e-6 * n * n * n / ms << " GFLOP/s\n";
#ifdef WEFT_TOUR_ONEDNN
  const std::vector<float> a = x.to_vector<float>();
  std::vector<float> c(a.size());
  const double blas =
      milliseconds(1, [&] { dnnl_sgemm('N', 'T', n, n, n, 1, a.data(), n, a.data(), n, 0, c.data(), n); });
  std::cout << "the BLAS call alone: " << blas << " ms; ratio " << ms / blas << "\n";
#endif
}

void arrays() {
  heading("slicing, indexing, printing");
  const Array x = np::reshape(np::arange(24), {4, 6});
  std::cout << "x = \n" << x << "\n";
  std::cout << "x(1) = " << x(1) << "\n";
  std::cout << "x(slice(1, 3), -1) = " << x(weft::slice(1, 3), -1) << "\n";
  std::cout << "x(ellipsis, slice({}, {}, -2)) =\n" << x(weft::ellipsis, weft::slice({}, {}, -2)) << "\n";
  std::cout << "x({0, 2}, {5, 1}) = " << x({0, 2}, {5, 1}) << "\n";
  std::cout << "x(x % 5 == 0) = " << x(x % 5 == 0) << "\n";
  std::cout << "x.at(0, slice(0, 3)).set(-1)(0) = " << x.at(0, weft::slice(0, 3)).set(-1)(0) << "\n";
  std::cout << "x.at({0, 0, 3}).add(100) =\n" << x.at({0, 0, 3}).add(100) << "\n";
  std::cout << "np::mean(x, 0) = " << np::mean(x, 0).repr() << "\n";
  std::cout << "np::ones({1000, 1000}) =\n" << np::ones({1000, 1000}) << "\n";
}

void gradients() {
  heading("gradients of ordinary C++, ifs included");
  const auto f = [](Array x) {
    if (x > 3) return np::square(x);
    return np::sin(x);
  };
  for (const float x : {4.0f, 2.0f}) std::cout << "grad(f)(" << x << ") = " << weft::grad(f)(x) << "\n";

  heading("four derivatives of tanh at 2");
  const auto d0 = [](Array x) { return np::tanh(x); };
  const auto d1 = weft::grad(d0);
  const auto d2 = weft::grad(d1);
  const auto d3 = weft::grad(d2);
  const auto d4 = weft::grad(d3);
  std::cout << d1(2.0) << "  " << d2(2.0) << "  " << d3(2.0) << "  " << d4(2.0) << "\n";
}

void compiled() {
  heading("eager and jit");
  const auto f = [](Array y) {
    for (int i = 0; i < 10; ++i) y = y - 0.1 * y + 3;
    return y(weft::slice(0, 100), weft::slice(0, 100));
  };
  const auto g = weft::jit(f);
  const Array x = np::ones({1000, 1000});
  std::cout << "f(x)(0, 0) = " << f(x)(0, 0) << ", jit(f)(x)(0, 0) = " << g(x)(0, 0) << "\n";
  std::cout << "eager " << milliseconds(5, [&] { f(x); }) << " ms, jit " << milliseconds(5, [&] { g(x); }) << " ms\n";
}

void programs() {
  heading("what a transformation does, as a program");
  const auto dot = [](Array a, Array b) { return np::dot(a, b); };
  const Array v = np::ones({3}), m = np::ones({5, 3}), t = np::ones({7, 5, 3});
  std::cout << "dot: " << weft::make_jaxpr(dot)(v, v).str() << "\n";
  std::cout << "vmap(dot): " << weft::make_jaxpr(weft::vmap(dot))(m, m).str() << "\n";
  std::cout << "vmap(vmap(dot)): " << weft::make_jaxpr(weft::vmap(weft::vmap(dot)))(t, t).str() << "\n";
}

void per_example_gradients() {
  heading("gradients per example: vmap of grad");
  struct Params {
    Array w, b;
  };
  const auto loss = [](Params p, Array x, Array y) { return np::square(np::dot(x, p.w) + p.b - y); };
  const Params p{np::array({1.f, -2.f}), Array(0.5f)};
  const Array xs = np::array({{1.f, 2.f}, {3.f, 4.f}, {5.f, 6.f}}), ys = np::array({0.f, 1.f, 2.f});
  const Params g = weft::vmap(weft::grad(loss), {weft::unmapped, 0, 0})(p, xs, ys);
  std::cout << "w:\n" << g.w << "\nb: " << g.b << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  int size = 5000;
  CLI::App app("The basics of Weft, printed step by step.");
  app.add_option("size", size, "rows and columns of the large product")
      ->capture_default_str()
      ->check(CLI::Range(1, 50000));
  CLI11_PARSE(app, argc, argv);
  try {
    products(size);
    arrays();
    gradients();
    compiled();
    programs();
    per_example_gradients();
    return 0;
  } catch (const weft::Error& e) {
    std::cerr << e.kind() << ": " << e.what() << "\n";
    return 1;
  }
}
