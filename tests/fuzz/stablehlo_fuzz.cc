// libFuzzer: any bytes as StableHLO text. Build with clang and -DWEFT_BUILD_FUZZERS=ON, run as
//   weft_stablehlo_fuzz -max_total_time=600 corpus/ $WEFT_CONFORMANCE_DIR/interpret
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "weft/base/error.h"
#include "weft/stablehlo/import.h"
#include "weft/stablehlo/syntax.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    for (const stablehlo::Module& m : stablehlo::parse_all(text)) {
      for (const stablehlo::Form form : {stablehlo::Form::kPretty, stablehlo::Form::kGeneric})
        if (!(stablehlo::parse(stablehlo::print(m, form)) == m)) std::abort();
      for (const stablehlo::Op& op : m.ops())
        if (op.name == "func.func") {
          try {
            stablehlo::import(m, {.function = op.symbol()});
          } catch (const ParseError&) {
          }
        }
    }
  } catch (const ParseError&) {
  }
  return 0;
}
