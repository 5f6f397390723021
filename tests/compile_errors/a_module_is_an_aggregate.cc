#include "nn/module.h"
struct Layer : weft::nn::Module<Layer> {
  explicit Layer(int n) : features(n) {}
  int features;
  weft::Array call(const weft::Array& x) const { return x; }
};
weft::nn::Variables f(const weft::Array& key) { return Layer(3).init(key, key); }
