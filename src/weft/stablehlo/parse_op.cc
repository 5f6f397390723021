// Operations, regions and functions of MLIR text.
#include <algorithm>

#include "weft/base/error.h"
#include "weft/stablehlo/parser.h"

namespace weft::stablehlo {

Parser::Parser(std::string_view text, std::size_t begin, std::size_t end, std::string_view source, LineStarts lines)
    : in_(text, begin, end, source, std::move(lines)) {}

Module Parser::module(Refusals& refusals) {
  // What was refused so far is part of an error that ends the reading.
  struct Collect {
    ~Collect() { to.insert(to.end(), from.begin(), from.end()); }
    Refusals &from, &to;
  } collect{refusals_, refusals};
  Module m;
  std::vector<Op> ops;
  const TextPosition place = in_.place();
  while (!in_.at_end()) {
    // "#name = " is an alias; an operation never starts with '#' or '!'.
    if (in_.peek() == '#' || in_.peek() == '!') {
      alias();
    } else if (in_.looking_at("{-#")) {
      file_resources();
    } else {
      operation(ops);
    }
  }
  if (ops.size() == 1 && ops[0].name == "builtin.module") {
    m.top = std::move(ops[0]);
  } else {
    m.top.name = "builtin.module";
    m.top.place = place;
    m.top.regions.emplace_back().blocks.emplace_back().ops = std::move(ops);
  }
  m.values = std::move(values_);
  if (uses_resources_) give_resources(m.top);
  return m;
}

Attribute Parser::only_attribute() {
  Attribute a = attribute();
  if (uses_resources_) give_resources(a);
  if (!in_.at_end()) in_.fail("the end of the attribute");
  throw_refusals({}, std::move(refusals_));
  return a;
}

// ---- values ----

ValueId Parser::define(std::string_view name, std::uint32_t index, std::uint32_t count, TypeRef type,
                       std::size_t offset) {
  const auto id = static_cast<ValueId>(values_.size());
  values_.push_back({std::string(name), index, std::move(type)});
  if (index == 0) {
    if (!scope_.try_emplace(name, Binding{id, count}).second) in_.fail_at(offset, "a name that no value has yet");
    defined_.push_back(name);
  }
  return id;
}

ValueId Parser::use() {
  const std::size_t begin = in_.offset();
  const std::string_view name = in_.sigil_name('%', "a value ('%name')");
  std::uint32_t index = 0;
  bool indexed = false;
  if (in_.peek() == '#') {
    in_.expect("#");
    const std::size_t at = in_.offset();
    const std::optional<std::uint32_t> n = parse_integer<std::uint32_t>(in_.digits("the number of a result"));
    if (!n) in_.fail_at(at, "the number of a result");
    index = *n;
    indexed = true;
  }
  const auto it = scope_.find(name);
  if (it == scope_.end()) in_.fail_at(begin, "a value that is defined above");
  if (index >= it->second.count || (!indexed && it->second.count != 1))
    in_.fail_at(begin, it->second.count == 1
                           ? "%" + std::string(name) + ", which is one result"
                           : "%" + std::string(name) + "#0 to #" + std::to_string(it->second.count - 1));
  return it->second.first + index;
}

void Parser::uses(std::vector<ValueId>& into) {
  if (in_.peek() != '%') return;
  do into.push_back(use());
  while (in_.accept(","));
}

void Parser::type_count(const Op& op, std::size_t expected, std::size_t got) const {
  in_.refuse(op.place, op.name + ": there must be one type per operand; got " +
                           count_str(static_cast<std::int64_t>(got), "type", "types") + " for " +
                           count_str(static_cast<std::int64_t>(expected), "operand", "operands") + ".");
}

void Parser::check_operand_types(const Op& op, const std::vector<TypeRef>& types) {
  if (types.size() != op.operands.size()) type_count(op, op.operands.size(), types.size());
  for (std::size_t i = 0; i < types.size(); ++i) {
    const Value& v = values_[op.operands[i]];
    if (!same_type(types[i], v.type))
      in_.refuse(op.place, op.name + ": an operand's type must be its value's; got " + types[i]->text + " for %" +
                               v.name + ", a " + v.type->text + ".");
  }
}

void Parser::define_results(Op& op, const Results& names, const std::vector<TypeRef>& types) {
  if (names.count != types.size() && names.count != 0)
    in_.refuse(op.place, op.name + ": there must be one name per result; got " +
                             count_str(static_cast<std::int64_t>(names.count), "name", "names") + " for " +
                             count_str(static_cast<std::int64_t>(types.size()), "result", "results") + ".");
  std::size_t next = 0;
  if (names.count == 0) {
    // Nobody can use them, so they have no names.
    for (const TypeRef& t : types) {
      op.results.push_back(static_cast<ValueId>(values_.size()));
      values_.push_back({std::string(), 0, t});
    }
    return;
  }
  for (const Results::Group& g : names.groups)
    for (std::uint32_t i = 0; i < g.count; ++i)
      op.results.push_back(define(g.name, i, g.count, types[next++], g.offset));
}

// ---- operations ----

void Parser::operation(std::vector<Op>& into) {
  const Depth depth(*this);
  Op op;
  op.place = in_.place();
  Results names;
  if (in_.peek() == '%') {
    do {
      const std::size_t offset = in_.offset();
      Results::Group g{in_.sigil_name('%', "a value ('%name')"), 1, offset};
      if (in_.accept(":")) {
        const std::size_t at = in_.offset();
        const std::optional<std::uint32_t> n = parse_integer<std::uint32_t>(in_.digits("the number of results"));
        if (!n || *n == 0 || *n > 65536) in_.fail_at(at, "a number of results from 1 to 65536");
        g.count = *n;
      }
      names.count += g.count;
      names.groups.push_back(g);
    } while (in_.accept(","));
    in_.expect("=");
    op.place = in_.place();
  }
  result_types_.clear();
  if (in_.peek() == '"')
    generic_operation(op);
  else
    pretty_operation(op, names.count);
  const std::vector<TypeRef> types = std::move(result_types_);
  result_types_.clear();
  define_results(op, names, types);
  if (in_.peek_word() == "loc") skip_location();
  into.push_back(std::move(op));
}

void Parser::generic_operation(Op& op) {
  op.name = current_name(in_.quoted());
  // All of a program is in VHLO, or nothing.
  if (op.name.starts_with("vhlo."))
    unsupported(op.place, op.name + ": " + std::string(reason_of_unknown(op.name)) + ".");
  generic_rest(op);
}

// What follows the name.
void Parser::generic_rest(Op& op) {
  in_.expect("(");
  uses(op.operands);
  in_.expect(")");
  if (in_.looking_at("["))
    unsupported(in_.place(), op.name + ": control flow must be structured; got successor blocks.");
  if (in_.accept("<{")) {
    dictionary("}", op.attributes);
    in_.expect(">");
    op.num_inherent = op.attributes.size();
  }
  if (in_.accept("(")) {
    // What such a region's values are called is nobody else's affair.
    const bool isolated = op.name == "func.func" || op.name == "builtin.module" || op.name == "chlo.scan" ||
                          op.name == "sdy.named_computation";
    do op.regions.push_back(region({}, isolated));
    while (in_.accept(","));
    in_.expect(")");
  }
  if (op.name == "builtin.module") module_block(op);
  if (in_.accept("{")) dictionary("}", op.attributes);
  in_.expect(":");
  check_operand_types(op, type_parens());
  in_.expect("->");
  result_types_ = result_types();
}

void Parser::pretty_operation(Op& op, std::size_t num_results) {
  op.name = std::string(in_.peek_word());
  if (op.name.empty()) in_.fail("an operation");
  if (op.name == "module") op.name = "builtin.module";
  if (op.name == "func") op.name = "func.func";
  if (op.name == "call" || op.name == "return") op.name = "func." + op.name;
  op.name = current_name(std::move(op.name));
  in_.word("an operation");
  if (op.name == "builtin.module") return nested_module(op);
  if (op.name == "func.func") return function(op);
  if (op.name == "stablehlo.while") return while_op(op);
  if (op.name == "stablehlo.reduce") return reduce_op(op);
  if (op.name == "chlo.scan") return scan_op(op);
  if (shardy(op)) return;
  // "stablehlo.constant() {value = dense<1.0> : tensor<f32>} : () -> tensor<f32>": older printers left out the quotes.
  if (op.name == "stablehlo.constant" && in_.looking_at("(")) return generic_rest(op);
  const Format* format = find_format(op.name);
  if (!format) return unknown_operation(op, num_results);
  formatted(op, *format);
}

// Steps over an operation whose form is not known, so that the rest of the text is read for what else is wrong.
void Parser::unknown_operation(Op& op, std::size_t num_results) {
  const bool quoted = std::ranges::find(generic_only(), op.name) != generic_only().end();
  const std::string reason =
      quoted ? "this operation has no short form; it is written in quotes" : std::string(reason_of_unknown(op.name));
  if (op.name.find('.') == std::string::npos) in_.refuse(op.place, "expected an operation; got '" + op.name + "'.");
  const Lexer::Remainder rest = in_.rest_of_operation();
  refusals_.push_back({op.place, op.name + ": " + reason});
  if (num_results > 0) {
    if (!rest.types) unsupported(op.place, op.name + ": its results must have types.");
    in_.seek(*rest.types);
    in_.skip_blanks();
    std::vector<TypeRef> types = in_.looking_at("(") ? type_parens() : type_list();
    if (in_.accept("->")) types = in_.looking_at("(") ? type_parens() : type_list();
    if (types.size() != num_results && !types.empty()) types.assign(num_results, types.back());
    result_types_ = std::move(types);
  }
  in_.seek(rest.end);
  in_.skip_blanks();
}

void Parser::unsupported(TextPosition place, const std::string& message) const {
  const ForcedLocation nowhere{SourceLocation()};
  throw Unsupported(in_.located(place, message));
}

// ---- regions ----

void Parser::block_arguments(Block& block) {
  if (in_.looking_at(")")) return;
  do {
    const std::size_t offset = in_.offset();
    const std::string_view name = in_.sigil_name('%', "a value ('%name')");
    in_.expect(":");
    TypeRef t = type();
    block.arguments.push_back(define(name, 0, 1, std::move(t), offset));
    if (in_.peek_word() == "loc") skip_location();
  } while (in_.accept(","));
}

void Parser::block_label(Block& block) {
  in_.sigil_name('^', "a block's name");
  if (in_.accept("(")) {
    block_arguments(block);
    in_.expect(")");
  }
  in_.expect(":");
}

Region Parser::region(std::span<const std::pair<std::string_view, TypeRef>> arguments, bool isolated) {
  const Depth depth(*this);
  Region region;
  decltype(scope_) outer_scope;
  decltype(defined_) outer_defined;
  if (isolated) {
    outer_scope.swap(scope_);
    outer_defined.swap(defined_);
  }
  const std::size_t outer = defined_.size();
  in_.expect("{");
  if (!in_.looking_at("}") || !arguments.empty()) {
    Block& block = region.blocks.emplace_back();
    for (const auto& [name, t] : arguments) {
      // Each is a part of the text, after its '%'.
      const auto offset = static_cast<std::size_t>(name.data() - in_.text().data()) - 1;
      block.arguments.push_back(define(name, 0, 1, t, offset));
    }
    bool refused = false, labelled = false;
    while (!in_.looking_at("}")) {
      if (in_.peek() == '^') {
        // The rest is read for what else is wrong, as if it were one block.
        if ((std::exchange(labelled, true) || !block.ops.empty()) && !std::exchange(refused, true))
          refusals_.push_back({in_.place(), "control flow must be structured; got a second block in a region"});
        block_label(block);
        continue;
      }
      if (in_.at_end()) in_.fail("'}'");
      operation(block.ops);
    }
  }
  in_.expect("}");
  while (defined_.size() > outer) {
    scope_.erase(defined_.back());
    defined_.pop_back();
  }
  if (isolated) {
    scope_.swap(outer_scope);
    defined_.swap(outer_defined);
  }
  return region;
}

void Parser::nested_module(Op& op) {
  if (in_.peek() == '@') op.attributes.push_back({"sym_name", Attribute::string(in_.symbol())});
  if (in_.accept_word("attributes")) {
    in_.expect("{");
    dictionary("}", op.attributes);
  }
  op.regions.push_back(region({}, true));
  module_block(op);
}

void Parser::module_block(Op& op) const {
  op.regions.resize(1);
  if (op.regions[0].blocks.empty()) op.regions[0].blocks.emplace_back();
  if (!op.regions[0].body().arguments.empty()) in_.refuse(op.place, op.name + ": a module must take no arguments.");
}

void Parser::function(Op& op) {
  for (const std::string_view visibility : {"public", "private", "nested"})
    if (in_.accept_word(visibility))
      op.attributes.push_back({"sym_visibility", Attribute::string(std::string(visibility))});
  op.attributes.push_back({"sym_name", Attribute::string(in_.symbol())});
  std::vector<std::pair<std::string_view, TypeRef>> arguments;
  std::vector<TypeRef> inputs, results;
  std::vector<Attribute> input_attributes, result_attributes;
  bool any_input = false, any_result = false;
  const auto attributes_of = [&](std::vector<Attribute>& list, bool& any) {
    std::vector<NamedAttribute> items;
    if (in_.accept("{")) dictionary("}", items);
    any |= !items.empty();
    list.push_back(Attribute::dictionary(std::move(items)));
    if (in_.peek_word() == "loc") skip_location();
  };
  const TextPosition type_place = in_.place();
  in_.expect("(");
  if (!in_.accept(")")) {
    do {
      std::string_view name;
      if (in_.peek() == '%') {
        name = in_.sigil_name('%', "an argument");
        in_.expect(":");
      }
      inputs.push_back(type());
      if (!name.empty()) arguments.emplace_back(name, inputs.back());
      attributes_of(input_attributes, any_input);
    } while (in_.accept(","));
    in_.expect(")");
  }
  if (in_.accept("->")) {
    if (in_.accept("(")) {
      if (!in_.accept(")")) {
        do {
          results.push_back(type());
          attributes_of(result_attributes, any_result);
        } while (in_.accept(","));
        in_.expect(")");
      }
    } else {
      results.push_back(type());
    }
  }
  Attribute type = Attribute::of_type(function_type(inputs, results));
  type.place = type_place;
  op.attributes.push_back({"function_type", std::move(type)});
  if (any_input) op.attributes.push_back({"arg_attrs", Attribute::array(std::move(input_attributes))});
  if (any_result) op.attributes.push_back({"res_attrs", Attribute::array(std::move(result_attributes))});
  if (in_.accept_word("attributes")) {
    in_.expect("{");
    dictionary("}", op.attributes);
  }
  if (!in_.looking_at("{")) {
    op.regions.emplace_back();  // a declaration
    return;
  }
  if (arguments.size() != inputs.size())
    in_.refuse(type_place, op.name + ": arguments must have names where there is a body.");
  op.regions.push_back(region(arguments, true));
  if (op.regions.back().blocks.empty()) op.regions.back().blocks.emplace_back();
}

// ---- the two operations whose pretty form holds regions ----

// stablehlo.while(%arg = %init, ...) : types [attributes {...}] cond {...} do {...}
void Parser::while_op(Op& op) {
  std::vector<std::pair<std::string_view, TypeRef>> arguments;
  in_.expect("(");
  if (!in_.accept(")")) {
    do {
      arguments.emplace_back(in_.sigil_name('%', "a value ('%name')"), nullptr);
      in_.expect("=");
      op.operands.push_back(use());
    } while (in_.accept(","));
    in_.expect(")");
  }
  std::vector<TypeRef> types;
  if (in_.accept(":") && in_.peek_word() != "cond" && in_.peek_word() != "attributes") types = type_list();
  check_operand_types(op, types);
  for (std::size_t i = 0; i < types.size(); ++i) arguments[i].second = types[i];
  if (in_.accept_word("attributes")) {
    in_.expect("{");
    dictionary("}", op.attributes);
  }
  const auto body = [&](std::string_view word) {
    in_.expect_word(word);
    op.regions.push_back(region(arguments));
    if (op.regions.back().blocks.empty()) op.regions.back().blocks.emplace_back();
  };
  body("cond");
  body("do");
  result_types_ = std::move(types);
}

// stablehlo.reduce(%x init: %i), (...) [applies op] across dimensions = [..] {attrs} : fn [reducer(%a: t, %b: t)... {}]
void Parser::reduce_op(Op& op) {
  std::vector<ValueId> inits;
  do {
    in_.expect("(");
    op.operands.push_back(use());
    in_.expect_word("init");
    in_.expect(":");
    inits.push_back(use());
    in_.expect(")");
  } while (in_.accept(","));
  op.operands.insert(op.operands.end(), inits.begin(), inits.end());
  std::string applied;
  if (in_.accept_word("applies")) applied = current_name(std::string(in_.word("an operation")));
  in_.expect_word("across");
  in_.expect_word("dimensions");
  in_.expect("=");
  const TextPosition dimensions_place = in_.place();
  op.attributes.push_back({"dimensions", Attribute::dims(dim_list())});
  op.attributes.back().value.place = dimensions_place;
  if (in_.accept("{")) dictionary("}", op.attributes);
  in_.expect(":");
  const std::size_t at = in_.offset();
  std::vector<TypeRef> types = type_parens();
  in_.expect("->");
  std::vector<TypeRef> results = result_types();
  check_operand_types(op, types);
  if (applied.empty()) {
    // Pairs of arguments: (%acc0, %x0) (%acc1, %x1); the block takes all accumulators, then all elements.
    in_.expect_word("reducer");
    std::vector<std::pair<std::string_view, TypeRef>> left, right;
    const auto argument = [&](auto& list) {
      const std::string_view name = in_.sigil_name('%', "a value ('%name')");
      in_.expect(":");
      list.emplace_back(name, type());
      if (in_.peek_word() == "loc") skip_location();
    };
    do {
      in_.expect("(");
      argument(left);
      in_.expect(",");
      argument(right);
      in_.expect(")");
    } while (in_.looking_at("("));
    left.insert(left.end(), right.begin(), right.end());
    op.regions.push_back(region(left));
  } else {
    if (results.size() != 1 || types.size() != 2) in_.fail_at(at, "one operand and one result beside 'applies'");
    if (types[1]->kind != Type::Kind::kTensor) in_.fail_at(at, "a tensor as initial value");
    Block block;
    const TypeRef scalar = tensor_type(types[1]->element, {});
    // The generic form needs names for them that nothing in scope has.
    const auto unnamed = [&](std::string name) {
      while (scope_.contains(name)) name += '_';
      values_.push_back({std::move(name), 0, scalar});
      return static_cast<ValueId>(values_.size() - 1);
    };
    for (const char* name : {"reduce_lhs", "reduce_rhs"}) block.arguments.push_back(unnamed(name));
    const ValueId value = unnamed("reduce_out");
    Op step;
    step.name = applied;
    step.place = op.place;
    step.operands = block.arguments;
    step.results = {value};
    Op done;
    done.name = "stablehlo.return";
    done.place = op.place;
    done.operands = {value};
    block.ops.push_back(std::move(step));
    block.ops.push_back(std::move(done));
    op.regions.emplace_back().blocks.push_back(std::move(block));
  }
  result_types_ = std::move(results);
}

// ---- entry points ----

namespace {

// Throws `last`, an error that ends the reading, after what was refused before it.
template <class E>
[[noreturn]] void end_reading(const E& last, std::string_view source, Refusals refusals) {
  try {
    throw_refusals(source, std::move(refusals));
  } catch (const ParseError& before) {
    const ForcedLocation nowhere{SourceLocation()};
    throw E(before.message() + "\n" + last.message());
  }
  throw E(last);
}

// text[begin, end).
Module read(std::string_view text, std::size_t begin, std::size_t end, std::string_view source, LineStarts lines,
            Refusals& refusals) {
  if (text.substr(begin, end - begin).starts_with("ML\xEFR")) {
    const ForcedLocation nowhere{SourceLocation()};
    throw Unsupported((source.empty() ? std::string() : std::string(source) + ":") +
                      "1:1: expected StableHLO text; got MLIR bytecode, which stablehlo-translate --deserialize turns "
                      "into text.");
  }
  try {
    Module m = Parser(text, begin, end, source, std::move(lines)).module(refusals);
    m.source = std::string(source);
    return m;
  } catch (const Unsupported& last) {
    end_reading(last, source, std::move(refusals));
  } catch (const ParseError& last) {
    end_reading(last, source, std::move(refusals));
  }
}

Module read(std::string_view text, std::size_t begin, std::size_t end, std::string_view source, LineStarts lines) {
  Refusals refusals;
  Module m = read(text, begin, end, source, std::move(lines), refusals);
  throw_refusals(source, std::move(refusals));
  return m;
}

}  // namespace

Module parse(std::string_view text, std::string_view source) {
  return read(text, 0, text.size(), source, line_starts(text));
}

Module parse_refusing(std::string_view text, std::string_view source, Refusals& refusals) {
  return read(text, 0, text.size(), source, line_starts(text), refusals);
}

namespace {

// Calls f(begin, end, last) for each part of a text in which lines "// -----" stand between parts.
template <class F>
void for_each_part(std::string_view text, F&& f) {
  std::size_t begin = 0;
  for (std::size_t at = 0; begin <= text.size();) {
    std::size_t end = text.find("// -----", at);
    if (end == std::string_view::npos) end = text.size();
    // Only at the start of a line.
    if (end < text.size() && end > 0 && text[end - 1] != '\n') {
      at = end + 1;
      continue;
    }
    f(begin, end, end == text.size());
    if (end == text.size()) break;
    begin = std::min(text.find('\n', end), text.size());
    at = begin;
  }
}

}  // namespace

std::vector<Module> parse_all(std::string_view text, std::string_view source) {
  std::vector<Module> modules;
  const LineStarts lines = line_starts(text);
  for_each_part(text, [&](std::size_t begin, std::size_t end, bool last) {
    Module m = read(text, begin, end, source, lines);
    if (!m.ops().empty() || (modules.empty() && last)) modules.push_back(std::move(m));
  });
  return modules;
}

std::vector<ProgramText> parse_each(std::string_view text, std::string_view source) {
  std::vector<ProgramText> programs;
  const LineStarts lines = line_starts(text);
  for_each_part(text, [&](std::size_t begin, std::size_t end, bool last) {
    ProgramText p;
    try {
      p.module = read(text, begin, end, source, lines, p.refusals);
      if (p.module.ops().empty() && p.refusals.empty() && !(programs.empty() && last)) return;
    } catch (const Unsupported& e) {
      p.error = e.message();
      p.unsupported = true;
    } catch (const ParseError& e) {
      p.error = e.message();
    }
    programs.push_back(std::move(p));
  });
  return programs;
}

Attribute parse_attribute(std::string_view text) {
  return Parser(text, 0, text.size(), {}, line_starts(text)).only_attribute();
}

}  // namespace weft::stablehlo
