#include "samples/checks.h"

#include <cstdlib>

#include "harness/values.h"
#include "weft/base/error.h"
#include "weft/core/trace.h"

namespace weft::testing {

FlatFunction operation(const Sample& sample) {
  return [op = sample.op, params = sample.params](std::span<const Array> args, Arrays& outs) {
    bind(op, params, args, outs);
  };
}

std::vector<std::string> run_check(Check check) {
  const char* filter = std::getenv("WEFT_SAMPLES");
  const CheckLeaks leaks;
  std::vector<std::string> sentences;
  for (const Sample& sample : all_samples()) {
    if (filter && sample.name.find(filter) == std::string::npos) continue;
    Findings findings;
    std::string thrown;
    try {
      check(sample, findings);
    } catch (const std::exception& e) {
      thrown = std::string("threw ") + e.what();
    }
    const std::string who =
        std::string(ir::op_name(sample.op)) + ", sample " + sample.name + " (" + types(make_operands(sample)) + "): ";
    for (const std::string& f : findings.list()) sentences.push_back(who + f);
    if (!thrown.empty()) sentences.push_back(who + thrown);
  }
  return sentences;
}

}  // namespace weft::testing
