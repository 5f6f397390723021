// libFuzzer: any bytes as StableHLO text. HACKING.md says how to run it.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "fuzz/stablehlo_property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto verdict = weft::stablehlo::testing::judge({reinterpret_cast<const char*>(data), size});
  if (!verdict.fault.empty()) {
    std::fprintf(stderr, "%s\n", verdict.fault.c_str());
    std::abort();
  }
  return 0;
}
