#include "weft/ir/custom_rules.h"

#include "weft/base/text.h"

namespace weft::ir {

namespace {
constexpr std::string_view kFunctionText = "Function";
}  // namespace

void print_param(ParamWriter& w, const Rule& v) {
  if (!v)
    w.text += "None";
  else if (v.is_program())
    print_param(w, v.program());
  else
    w.text += kFunctionText;
}

void parse_param(TextCursor& in, Rule& v) {
  if (in.accept("None")) {
    v = Rule();
  } else if (in.accept(kFunctionText)) {
    v = Rule(std::shared_ptr<const RuleFunction>());
  } else {
    Jaxpr program;
    parse_param(in, program);
    v = Rule(std::move(program));
  }
}

std::uint64_t hash_param(const Rule& v) {
  if (!v) return 0;
  return v.is_program() ? hash_mix(1, hash_param(v.program())) : hash_mix(2, hash_bytes(kFunctionText));
}

const Jaxpr* custom_program(OpCode op, const ParamsBase* params) {
  switch (op) {
    case OpCode::kCustomJvpCall: return &params_as<CustomJvpCallParams>(params).call_jaxpr;
    case OpCode::kCustomVjpCall: return &params_as<CustomVjpCallParams>(params).call_jaxpr;
    case OpCode::kCustomVmapCall: return &params_as<CustomVmapCallParams>(params).call_jaxpr;
    case OpCode::kCustomLinearSolve: return &params_as<CustomLinearSolveParams>(params).solve;
    default: return nullptr;
  }
}

std::string custom_name(OpCode op, const ParamsBase* params) {
  switch (op) {
    case OpCode::kCustomJvpCall: return params_as<CustomJvpCallParams>(params).name;
    case OpCode::kCustomVjpCall: return params_as<CustomVjpCallParams>(params).name;
    case OpCode::kCustomVmapCall: return params_as<CustomVmapCallParams>(params).name;
    default: return "solve";
  }
}

}  // namespace weft::ir
