#include "weft/ir/op.h"

#include <string>
#include <unordered_map>

namespace weft::ir {

namespace {

constexpr const OpInfo* kInfos[] = {
#define WEFT_OP(code, mnemonic, text) &op_infos::mnemonic,
#include "weft/ir/ops.def"
#undef WEFT_OP
};

// C++ keywords among the mnemonics carry a trailing underscore.
constexpr std::string_view mnemonic_text(std::string_view s) {
  return s.ends_with('_') ? s.substr(0, s.size() - 1) : s;
}

constexpr std::string_view kNames[] = {
#define WEFT_OP(code, mnemonic, text) mnemonic_text(#mnemonic),
#include "weft/ir/ops.def"
#undef WEFT_OP
};

constexpr std::string_view kTexts[] = {
#define WEFT_OP(code, mnemonic, text) text,
#include "weft/ir/ops.def"
#undef WEFT_OP
};

struct Found {
  OpCode op;
  int variant;
};

}  // namespace

std::string_view op_name(OpCode op) { return kNames[static_cast<int>(op)]; }
std::string_view op_text(OpCode op) { return kTexts[static_cast<int>(op)]; }
const OpInfo& op_info(OpCode op) { return *kInfos[static_cast<int>(op)]; }

void infer(OpCode op, const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const OpInfo& info = op_info(op);
  const auto [least, most] = info.operands;
  const int n = static_cast<int>(in.size());
  if (n < least || (most != Arity::kAny && n > most)) [[unlikely]]
    throw ShapeError(std::string(op_name(op)) + ": there must be " + (most == least ? "" : "at least ") +
                     std::to_string(least) + (least == 1 ? " operand" : " operands") + "; got " + std::to_string(n) +
                     ".");
  internal_check(params || !info.parse, "infer: an op with parameters was given none");
  info.infer(params, in, out);
}

bool find_op(std::string_view text, OpCode& op, int& variant) {
  static const auto* const names = [] {
    auto* m = new std::unordered_map<std::string_view, Found>;
    for (int i = 0; i < kNumOps; ++i) {
      const auto code = static_cast<OpCode>(i);
      const auto variants = op_info(code).variants;
      for (std::size_t v = 0; v < variants.size(); ++v) m->emplace(variants[v], Found{code, static_cast<int>(v)});
    }
    // A variant may have the op's own name ("scatter"), and is meant by it.
    for (int i = 0; i < kNumOps; ++i) m->emplace(op_text(static_cast<OpCode>(i)), Found{static_cast<OpCode>(i), -1});
    for (int i = 0; i < kNumOps; ++i) m->emplace(op_name(static_cast<OpCode>(i)), Found{static_cast<OpCode>(i), -1});
    return m;
  }();
  const auto it = names->find(text);
  if (it == names->end()) return false;
  op = it->second.op;
  variant = it->second.variant;
  return true;
}

}  // namespace weft::ir
