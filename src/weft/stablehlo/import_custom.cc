// Custom calls: those that front ends write for what is no custom code (hints for partitioning, assertions about
// shapes, operations of other dialects), Weft's own, and the ones that a registry knows.
#include <algorithm>

#include "weft/base/error.h"
#include "weft/stablehlo/formats.h"
#include "weft/stablehlo/importer.h"

namespace weft::stablehlo {

namespace {

// Where to place an array, and how it lies there. It passes through.
constexpr std::string_view kHints[] = {
    "LayoutConstraint",
    "MoveToDevice",
    "MoveToHost",
    "PinToDevice",
    "PinToDeviceSram",
    "Sharding",
    "SPMDFullToShardShape",
    "SPMDShardToFullShape",
    "annotate_device_placement",
    "xla.sdy.FuncResultSharding",
    "xla.sdy.GlobalToLocalShape",
    "xla.sdy.LocalToGlobalShape",
    "xla.sdy.PropagationBarrier",
};

bool is_hint(std::string_view target) { return std::ranges::find(kHints, target) != std::end(kHints); }

// Notes about arrays, which give none.
bool is_note(std::string_view target) { return target == "InspectSharding" || target == "xla.sdy.ShardingGroup"; }

// "weft.igamma": the operation that only Weft has.
std::optional<OpCode> weft_code(std::string_view target) {
  OpCode code{};
  int variant = -1;
  if (!target.starts_with("weft.") || !ir::find_op(target.substr(5), code, variant) || variant >= 0 ||
      !has_weft_call(code))
    return std::nullopt;
  return code;
}

// "at least {0}, got {1}" with the integers that stand for the numbers in braces.
std::string filled(std::string_view message, const std::vector<std::string>& values) {
  std::string out;
  for (std::size_t at = 0; at < message.size();) {
    if (message[at] == '{') {
      const std::size_t close = std::min(message.find_first_not_of("0123456789", at + 1), message.size());
      const std::optional<std::size_t> i = parse_integer<std::size_t>(message.substr(at + 1, close - at - 1));
      if (i && *i < values.size() && message.substr(close).starts_with('}')) {
        out += values[*i];
        at = close + 1;
        continue;
      }
    }
    out += message[at++];
  }
  return out;
}

}  // namespace

bool Importer::is_read_as_other(std::string_view target) {
  return is_hint(target) || is_note(target) || target == "shape_assertion" || weft_code(target);
}

void Importer::custom_call(const Op& op, Operands operands, Results& results) {
  const AttributeReader from = reader(op);
  CustomCallParams p;
  p.call_target_name = from.text("call_target_name");
  const std::string& target = p.call_target_name;
  if (is_hint(target)) return sharding_hint(op, target, operands, results);
  if (is_note(target)) return no_values(op, operands, results);
  if (target == "shape_assertion") return shape_assertion(op, results);
  if (const std::optional<Op> inner = encoded_operation(op)) return apply(*inner, operands, results);
  if (const std::optional<OpCode> code = weft_code(target)) return weft_operation(op, *code, operands, results);
  if (is_library_call(target)) return library_call(op, operands, results);
  if (is_python_callback(target) && avals(op.results).empty()) return no_values(op, operands, results);
  p.has_side_effect = from.boolean("has_side_effect", false);
  if (const Attribute* config = from.find("backend_config"))
    p.backend_config = config->kind == Attribute::Kind::kString ? config->text : attribute_text(*config);
  else if (const Attribute* mhlo = from.find("mhlo.backend_config"))
    p.backend_config = attribute_text(*mhlo);
  p.api_version = from.integer("api_version", 1);
  const ir::Avals types = avals(op.results);
  p.result_types.assign(types.begin(), types.end());
  give(op, bind_all(OpCode::kCustomCall, ir::make_params(std::move(p)), flat(operands)), results);
}

// For one device hints mean nothing, except where they change a shape: then there must be more devices.
void Importer::sharding_hint(const Op& op, std::string_view target, Operands operands, Results& results) {
  const Arrays xs = flat(operands);
  const ir::Avals out = avals(op.results);
  for (std::size_t i = 0; i < std::min(xs.size(), out.size()); ++i)
    if (xs[i].aval() != out[i])
      refuse(op, "@" + std::string(target) + " may not take a part of an array, which one device has whole; got " +
                     xs[i].aval().str() + " to " + out[i].str() + ".");
  give(op, xs, results);
}

// A condition on shapes, which are known here: it holds, or the program is refused with its message.
void Importer::shape_assertion(const Op& op, Results& results) {
  const std::string message = reader(op).text("error_message", "the assertion does not hold");
  if (op.operands.empty()) fail(op, "@shape_assertion must have a condition; got no operand.");
  const std::optional<Array> condition = known(op.operands[0]);
  if (!condition)
    refuse(op, "@shape_assertion must have a condition that the text determines; got one that only the run knows.");
  if (condition->dtype() != boolean)
    fail(op, "@shape_assertion must have a condition of booleans; got " + condition->aval().str() + ".");
  const CurrentTrace evaluate(nullptr);
  Dims all;
  for (int axis = 0; axis < condition->ndim(); ++axis) all.push_back(axis);
  if (lax::reduce_and(*condition, all).item<bool>()) return give(op, std::span<const Array>(), results);
  std::vector<std::string> values;
  for (const ValueId v : std::span(op.operands).subspan(1)) {
    const std::optional<Array> a = known(v);
    const bool number = a && a->ndim() == 0 && is_integer(a->dtype());
    values.push_back(number ? std::to_string(lax::convert(*a, i64).item<std::int64_t>()) : "?");
  }
  fail(op, "@shape_assertion: " + filled(message, values));
}

// "@mhlo.topk(%x) {mhlo.attributes = {k = 2 : i64}}": an operation of CHLO or MHLO in a program that may have
// StableHLO's only.
std::optional<Op> Importer::encoded_operation(const Op& call) {
  const Attribute* target = call.find("call_target_name");
  if (call.name != "stablehlo.custom_call" || !target || target->kind != Attribute::Kind::kString ||
      !(target->text.starts_with("mhlo.") || target->text.starts_with("chlo.")))
    return std::nullopt;
  Op inner;
  inner.name = current_name(target->text);
  // Calls have callees, which are looked for in the program as it is written.
  if (inner.name == "stablehlo.custom_call" || inner.name == "stablehlo.composite" ||
      !(handler(inner.name) || operation_named(inner.name)))
    return std::nullopt;
  if (const Attribute* a = call.find("mhlo.attributes"); a && a->kind == Attribute::Kind::kDictionary)
    inner.attributes = a->items;
  inner.operands = call.operands;
  inner.results = call.results;
  inner.place = call.place;
  return inner;
}

// "@weft.igamma(%a, %x)", with parameters in Weft's own text.
void Importer::weft_operation(const Op& op, OpCode code, Operands operands, Results& results) {
  ir::Params params;
  if (const auto parse = ir::op_info(code).parse) {
    const std::string text = reader(op).text("backend_config", "");
    TextCursor in(text);
    try {
      params = parse(in, -1);
    } catch (const ParseError& e) {
      // The message's own place counts from the start of the string.
      const std::string& message = e.message();
      const std::size_t place = message.find(": ");
      fail(op, "backend_config: " + (place == std::string::npos ? message : message.substr(place + 2)));
    }
  }
  give(op, bind_all(code, params, flat(operands)), results);
}

}  // namespace weft::stablehlo
