// Operations of Shardy, the dialect that says how arrays are placed on devices, whose short form no row of formats.cc
// tells. Shardings stay text: what they say means nothing on one device.
#include "weft/stablehlo/parser.h"

namespace weft::stablehlo {

bool Parser::shardy(Op& op) {
  if (op.name == "sdy.mesh")
    sdy_mesh(op);
  else if (op.name == "sdy.manual_computation" || op.name == "sdy.named_computation")
    sdy_computation(op);
  else
    return false;
  return true;
}

// sdy.mesh @mesh = <["x"=2, "y"=4]> {attributes}
void Parser::sdy_mesh(Op& op) {
  op.attributes.push_back({"sym_name", Attribute::string(in_.symbol())});
  in_.expect("=");
  op.attributes.push_back({"mesh", Attribute::other("#sdy.mesh<" + in_.angle_body() + ">")});
  if (in_.accept("{")) dictionary("}", op.attributes);
}

// sdy.manual_computation(%0) in_shardings=[<@mesh, [{"x"}]>] out_shardings=[<@mesh, [{"x"}]>] manual_axes={"x"}
//   (%a: tensor<4xf32>) {...} {attributes} : (tensor<8xf32>) -> tensor<8xf32>
// sdy.named_computation<"name">(%0) in_shardings=[...] out_shardings=[...] (%a: tensor<8xf32>) {...} : ...
void Parser::sdy_computation(Op& op) {
  if (op.name == "sdy.named_computation") {
    in_.expect("<");
    op.attributes.push_back({"name", Attribute::string(in_.quoted())});
    in_.expect(">");
  }
  in_.expect("(");
  uses(op.operands);
  in_.expect(")");
  for (const char* name : {"in_shardings", "out_shardings"}) {
    if (!in_.accept_word(name)) continue;
    in_.expect("=");
    if (!in_.looking_at("[")) in_.fail("'['");
    op.attributes.push_back(
        {name, Attribute::other("#sdy.sharding_per_value<" + without_aliases(in_.bracket_text()) + ">")});
  }
  if (in_.accept_word("manual_axes")) {
    in_.expect("=");
    if (!in_.looking_at("{")) in_.fail("'{'");
    op.attributes.push_back(
        {"manual_axes", Attribute::other("#sdy<manual_axes" + without_aliases(in_.bracket_text()) + ">")});
  }
  std::vector<std::pair<std::string_view, TypeRef>> arguments;
  in_.expect("(");
  if (!in_.looking_at(")")) {
    do {
      const std::string_view name = in_.sigil_name('%', "a value ('%name')");
      in_.expect(":");
      arguments.emplace_back(name, type());
      if (in_.peek_word() == "loc") skip_location();
    } while (in_.accept(","));
  }
  in_.expect(")");
  op.regions.push_back(region(arguments, op.name == "sdy.named_computation"));
  if (op.regions.back().blocks.empty()) op.regions.back().blocks.emplace_back();
  if (in_.accept("{")) dictionary("}", op.attributes);
  in_.expect(":");
  check_operand_types(op, type_parens());
  in_.expect("->");
  result_types_ = result_types();
}

}  // namespace weft::stablehlo
