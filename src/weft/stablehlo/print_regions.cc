// Short forms that hold regions, as parse_regions.cc reads them.
#include "weft/stablehlo/printer.h"

namespace weft::stablehlo {

void Printer::regions_in_parens(const Op& op) {
  if (op.regions.empty()) return;
  out_ += " (";
  for (std::size_t i = 0; i < op.regions.size(); ++i) {
    if (i) out_ += ", ";
    region(op.regions[i], true);
  }
  out_ += ')';
}

bool Printer::scan(const Op& op) {
  const Attribute* operands = op.find("operandSegmentSizes");
  const Attribute* results = op.find("resultSegmentSizes");
  const Attribute* dimension = op.find("dimension");
  // The short form says how many operands are carried; the results must be as many more as there are outputs.
  const auto segments = [](const Attribute* a, std::size_t n) {
    return a && a->kind == Attribute::Kind::kIntegers && a->text == "i32" && a->integers.size() == 2 &&
           a->integers[0] >= 0 && a->integers[1] >= 0 &&
           static_cast<std::size_t>(a->integers[0]) + static_cast<std::size_t>(a->integers[1]) == n;
  };
  if (!segments(operands, op.operands.size()) || !segments(results, op.results.size()) ||
      operands->integers[1] != results->integers[1] || !dimension || op.regions.size() != 1)
    return false;
  const std::span<const ValueId> all(op.operands);
  const auto inputs = static_cast<std::size_t>(operands->integers[0]);
  out_ += "chlo.scan(";
  values(all.first(inputs));
  out_ += ") inits(";
  values(all.subspan(inputs));
  out_ += ") dimension =";
  if (!attribute_form(*dimension, "i64")) return false;
  constexpr std::string_view written[] = {"operandSegmentSizes", "resultSegmentSizes", "dimension"};
  other_attributes(op, written, " attributes ");
  out_ += ' ';
  region(op.regions[0], true);
  out_ += " : ";
  function_types(op);
  return true;
}

bool Printer::named_computation(const Op& op) {
  const Attribute* name = op.find("name");
  if (!name || name->kind != Attribute::Kind::kString || op.regions.size() != 1 || op.regions[0].blocks.empty())
    return false;
  out_ += "sdy.named_computation<";
  append_quoted(out_, name->text);
  out_ += ">(";
  values(op.operands);
  out_ += ')';
  for (const char* shardings : {"in_shardings", "out_shardings"}) {
    constexpr std::string_view prefix = "#sdy.sharding_per_value<[";
    const Attribute* a = op.find(shardings);
    if (!a) continue;
    if (a->kind != Attribute::Kind::kOther || !a->text.starts_with(prefix)) return false;
    out_ += ' ' + std::string(shardings) + '=' + a->text.substr(prefix.size() - 1);
    out_.pop_back();
  }
  out_ += " (";
  const std::vector<ValueId>& arguments = op.regions[0].body().arguments;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (i) out_ += ", ";
    value(arguments[i]);
    out_ += ": " + type(arguments[i])->text;
  }
  out_ += ") ";
  region(op.regions[0], false);
  constexpr std::string_view written[] = {"name", "in_shardings", "out_shardings"};
  other_attributes(op, written, " ");
  out_ += " : ";
  function_types(op);
  return true;
}

}  // namespace weft::stablehlo
