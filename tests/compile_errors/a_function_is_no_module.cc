#include "nn/lift.h"
auto f() {
  return weft::nn::remat([](const weft::Array& x) { return x; });
}
