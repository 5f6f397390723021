#include "weft/ir/op.h"

#include <algorithm>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "weft/ir/elements.h"

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

namespace {

// Memory for the elements of one operand or result in the type it is computed in.
struct Computed {
  std::unique_ptr<std::byte[]> memory;
  Aval aval;
  explicit Computed(Aval a)
      : memory(new std::byte[static_cast<std::size_t>(a.size() * byte_size(compute_dtype(a.dtype())))]),
        aval(a.with_dtype(compute_dtype(a.dtype()))) {}
};

template <class View>
bool any_stored(std::span<const View> views) {
  return std::any_of(views.begin(), views.end(), [](const View& v) { return is_storage(v.dtype()); });
}

}  // namespace

void evaluate(OpCode op, const ParamsBase* params, std::span<const TensorView> in,
              std::span<const MutableTensorView> out) {
  const OpInfo& info = op_info(op);
  const bool direct = info.storage_types || !(any_stored(in) || any_stored(out));
  direct ? info.eval(params, in, out) : evaluate_computed(info.eval, params, in, out);
}

void evaluate_computed(EvalRule eval, const ParamsBase* params, std::span<const TensorView> in,
                       std::span<const MutableTensorView> out) {
  std::vector<Computed> memory;
  memory.reserve(in.size() + out.size());
  std::vector<TensorView> operands(in.begin(), in.end());
  std::vector<MutableTensorView> results(out.begin(), out.end());
  for (TensorView& v : operands) {
    if (!is_storage(v.dtype())) continue;
    const Computed& c = memory.emplace_back(v.aval);
    widen_elements(v.dtype(), v.data, c.memory.get(), v.size());
    v = {c.aval, c.memory.get()};
  }
  for (MutableTensorView& v : results) {
    if (!is_storage(v.dtype())) continue;
    const Computed& c = memory.emplace_back(v.aval);
    v = {c.aval, c.memory.get()};
  }
  eval(params, operands, results);
  for (std::size_t i = 0; i < out.size(); ++i)
    if (is_storage(out[i].dtype())) narrow_elements(out[i].dtype(), results[i].data, out[i].data, out[i].size());
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
