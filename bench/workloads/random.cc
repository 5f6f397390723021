// Random numbers, of a key.
#include "weft_case.h"

namespace workloads {

void add_random(Cases& cases) {
  constexpr std::int64_t kLarge = 10'000'000;
  cases.push_back(weft_case("normal", "10M", {}, [] {
    return compiled([](Array key) { return weft::random::normal(key, {kLarge}); }, weft::random::key(0));
  }));
  cases.push_back(weft_case("uniform", "10M", {}, [] {
    return compiled([](Array key) { return weft::random::uniform(key, {kLarge}); }, weft::random::key(0));
  }));
}

}  // namespace workloads
