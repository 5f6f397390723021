// Short forms that hold regions, beside those of loops and reductions (parse_op.cc).
#include "weft/stablehlo/parser.h"

namespace weft::stablehlo {

void Parser::regions_in_parens(Op& op) {
  if (!in_.accept("(")) return;
  do op.regions.push_back(region());
  while (in_.accept(","));
  in_.expect(")");
}

// chlo.scan(%x, ...) inits(%c, ...) dimension=0 [attributes {...}] {
// ^bb0(slices, carries):
//   ...
// } : (types) -> (outputs, carries)
void Parser::scan_op(Op& op) {
  const auto operands = [&] {
    const std::size_t before = op.operands.size();
    in_.expect("(");
    uses(op.operands);
    in_.expect(")");
    return static_cast<std::int64_t>(op.operands.size() - before);
  };
  const std::int64_t inputs = operands();
  in_.expect_word("inits");
  const std::int64_t carries = operands();
  in_.expect_word("dimension");
  in_.expect("=");
  format_attribute(op, "dimension", "i64");
  if (in_.accept_word("attributes")) {
    in_.expect("{");
    dictionary("}", op.attributes);
  }
  op.regions.push_back(region({}, true));
  if (in_.accept("{")) dictionary("}", op.attributes);
  in_.expect(":");
  check_operand_types(op, type_parens());
  in_.expect("->");
  result_types_ = result_types();
  const std::int64_t outputs = static_cast<std::int64_t>(result_types_.size()) - carries;
  if (outputs < 0)
    in_.refuse(op.place, op.name + ": there must be a result per carried value; got " +
                             count_str(static_cast<std::int64_t>(result_types_.size()), "result", "results") + " for " +
                             count_str(carries, "value", "values") + ".");
  add_attribute(op.attributes, {"operandSegmentSizes", Attribute::dims(Dims{inputs, carries}, "i32")});
  add_attribute(op.attributes, {"resultSegmentSizes", Attribute::dims(Dims{outputs, carries}, "i32")});
}

}  // namespace weft::stablehlo
