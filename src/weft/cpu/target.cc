// Which operations code can be generated for: those that cpu/math has, and a few that the generator writes itself. And
// which prebuilt ones update their operand.
#include "weft/cpu/target.h"

#include "weft/cpu/plan.h"
#include "weft/ir/elementwise.h"

namespace weft::cpu {

namespace {

bool is_plain(DType t) { return !is_complex(t) && !is_storage(t); }

bool applies(OpCode op, const ir::ParamsBase* params, std::span<const DType> in, DType out) {
  // Elements are moved, whatever they are.
  if (op == OpCode::kSelect) return true;
  for (const DType t : in)
    if (is_complex(t)) return false;
  if (is_complex(out)) return false;
  if (op == OpCode::kBitcastConvert)
    return byte_size(in[0]) == byte_size(out) && is_plain(in[0]) && is_plain(out) && in[0] != boolean && out != boolean;
  for (const DType t : in)
    if (is_storage(t)) return false;
  if (is_storage(out)) return false;
  const bool small = in[0] == f16 || in[0] == bf16;
  const bool single = small || in[0] == f32;
  const DType t = in[0];
  switch (op) {
    case OpCode::kConvert:
    case OpCode::kClamp: return op == OpCode::kConvert || in[1] != boolean;
    case OpCode::kThreefry2x32: return true;
    case OpCode::kCompare: {
      const auto d = ir::params_as<CompareParams>(params).direction;
      return !is_float(t) || d == usual_order(d);
    }
    default: break;
  }
#define WEFT_CASE(condition, code) \
  if ((condition) && op == OpCode::code) return true;
#define WEFT_UNARY_FLOAT(code, name, F) WEFT_CASE(is_float(t), code)
#define WEFT_UNARY_F32(code, name, F) WEFT_CASE(single, code)
#define WEFT_UNARY_F64(code, name, F) WEFT_CASE(t == f64, code)
#define WEFT_PERIODIC_F32(code, name, F) WEFT_CASE(t == f32, code)
#define WEFT_PERIODIC_F64(code, name, F) WEFT_CASE(t == f64, code)
#define WEFT_UNARY_INTEGER(code, name, F, As) WEFT_CASE(is_integer(t), code)
#define WEFT_UNARY_BOOL(code, name, F) WEFT_CASE(t == boolean, code)
#define WEFT_BINARY_FLOAT(code, name, F) WEFT_CASE(is_float(t), code)
#define WEFT_BINARY_F32(code, name, F) WEFT_CASE(single, code)
#define WEFT_BINARY_F64(code, name, F) WEFT_CASE(t == f64, code)
#define WEFT_BINARY_INTEGER(code, name, F, As) WEFT_CASE(is_integer(t), code)
#define WEFT_BINARY_BOOL(code, name, F) WEFT_CASE(t == boolean, code)
#include "weft/cpu/math/functions.def"
#undef WEFT_CASE
  return false;
}

bool updates_in_place(OpCode op, const ir::ParamsBase* params, std::span<const Aval> in, std::span<const Aval> out) {
  return plan_op(op, params, in, out).in_place;
}

bool takes_epilogue(OpCode op, const ir::ParamsBase* params, std::span<const Aval> in, std::span<const Aval> out) {
  // Of these alone is a plan worth making for the answer.
  if (op != OpCode::kConvolution && op != OpCode::kReduceWindow) return false;
  return plan_op(op, params, in, out).run_with != nullptr;
}

}  // namespace

const compiler::Target kCpuTarget{applies, updates_in_place, takes_epilogue};

}  // namespace weft::cpu
