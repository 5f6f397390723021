// Reads the short forms of formats.h. What a short form leaves out (types, names of attributes) is made explicit here.
#include <algorithm>
#include <cctype>

#include "weft/stablehlo/parser.h"

namespace weft::stablehlo {

namespace {

std::string dims_text(DimSpan dims) { return "[" + join(dims, ", ") + "]"; }

// The tensor type of the parts of a complex tensor, or null.
TypeRef part_type(const TypeRef& t) {
  if (t->kind != Type::Kind::kTensor || !t->element.starts_with("complex<")) return nullptr;
  return tensor_type(t->element.substr(8, t->element.size() - 9), t->shape, t->encoding, t->ranked);
}

}  // namespace

void Parser::formatted(Op& op, const Format& format) {
  FormatTokens tokens(format.text);
  for (std::string_view token = tokens.next(); !token.empty(); token = tokens.next()) {
    if (token == "?(") {
      // Present when its first tokens come next: "word", ", word" or ", $attribute".
      FormatTokens ahead = tokens;
      const std::string_view first = ahead.next(), second = ahead.next();
      const std::size_t begin = in_.offset();
      const bool word = std::isalpha(static_cast<unsigned char>(first[0])) != 0;
      bool present = word ? in_.peek_word() == first : in_.accept(first);
      if (!word && present && second[0] != '$') present = in_.peek_word() == second;
      in_.seek(begin);
      if (!present)
        while (tokens.next() != ")?") {
        }
      continue;
    }
    if (token == ")?") continue;
    if (token == "{}") {
      if (in_.accept("{")) dictionary("}", op.attributes);
    } else if (token == "%*") {
      uses(op.operands);
    } else if (token == "%*,") {
      while (in_.peek() == '%') {
        op.operands.push_back(use());
        in_.expect(",");
      }
    } else if (token[0] == '%') {
      op.operands.push_back(use());
    } else if (token[0] == '$') {
      const std::size_t colon = token.find(':');
      format_attribute(op, token.substr(1, colon - 1), token.substr(colon + 1));
    } else if (token[0] == '@') {
      custom_directive(op, token.substr(1));
    } else if (token.starts_with("T:")) {
      format_types(op, token.substr(2));
    } else if (token == ":") {
      // Without a value to return there is no type, and no colon.
      if (tokens.rest() == "T:returned" && op.operands.empty() && !in_.looking_at(":")) break;
      if (tokens.rest() == "T:pairwise" && op.operands.empty() && !in_.looking_at(":")) break;
      in_.expect(":");
    } else if (std::isalpha(static_cast<unsigned char>(token[0]))) {
      in_.expect_word(token);
    } else {
      in_.expect(token);
    }
  }
}

void Parser::format_attribute(Op& op, std::string_view name, std::string_view kind) {
  NamedAttribute a{std::string(name), {}};
  const TextPosition place = in_.place();
  if (kind == "i64" || kind == "i32") {
    a.value = Attribute::integer(in_.integer("an integer"), kind);
  } else if (kind == "float") {
    a.value = number_attribute(false);
    a.value.type = other_type("f64");
  } else if (kind == "bool") {
    const std::string_view word = in_.word("true or false");
    if (word != "true" && word != "false") in_.refuse(place, op.name + ": " + a.name + " must be true or false.");
    a.value = Attribute::boolean(word == "true");
  } else if (kind == "dims") {
    a.value = in_.looking_at("[") ? Attribute::dims(dim_list()) : attribute();
  } else if (kind == "string") {
    a.value = Attribute::string(in_.quoted());
  } else if (kind == "symbol") {
    a.value = Attribute::symbol(in_.symbol());
  } else if (kind == "target") {
    a.value = Attribute::string(in_.symbol());
  } else if (kind == "dense") {
    if (in_.peek_word() != "dense" && in_.peek() != '#' && in_.peek_word() != "dense_resource") in_.fail("dense<...>");
    a.value = attribute();
    if (a.value.kind != Attribute::Kind::kDense)
      in_.refuse(place, op.name + ": " + a.name + " must be a literal, dense<...>.");
  } else if (kind == "precision") {
    a.value = precision_list();
  } else if (kind == "dot_algorithm") {
    a.value = in_.peek() == '<' ? Attribute::other("#stablehlo.dot_algorithm<" + in_.angle_body() + ">") : attribute();
  } else if (kind == "sharding") {
    a.value = Attribute::other("#sdy.sharding<" + without_aliases(in_.angle_body()) + ">");
  } else if (const std::string_view prefix = axes_prefix(kind); !prefix.empty()) {
    if (!in_.looking_at(kind == "axes" ? "{" : "[")) in_.fail("axes");
    a.value = Attribute::other(std::string(prefix) + in_.bracket_text() + ">");
  } else if (kind == "direction") {
    const auto it = std::ranges::find(kPropagationDirections, in_.word("a direction"));
    if (it == std::end(kPropagationDirections))
      in_.refuse(place, op.name + ": " + a.name + " must be one of " + join(kPropagationDirections, ", ") + ".");
    a.value = Attribute::integer(it - std::begin(kPropagationDirections), "i32");
  } else if (kind == "any") {
    a.value = attribute();
  } else {
    a.value =
        in_.peek() == '#'
            ? attribute()
            : Attribute::other("#stablehlo<" + std::string(kind) + " " + std::string(in_.word("an enumerator")) + ">");
  }
  a.value.place = place;
  add_attribute(op.attributes, std::move(a));
}

Attribute Parser::precision_list() {
  std::vector<Attribute> items;
  in_.expect("[");
  if (!in_.looking_at("]")) {
    do {
      if (in_.peek() == '#')
        items.push_back(attribute());
      else
        items.push_back(Attribute::other("#stablehlo<precision " + std::string(in_.word("a precision")) + ">"));
    } while (in_.accept(","));
  }
  in_.expect("]");
  return Attribute::array(std::move(items));
}

void Parser::custom_directive(Op& op, std::string_view directive) {
  const TextPosition place = in_.place();
  const std::size_t first = op.attributes.size();
  if (directive == "slice") {
    slice_ranges(op);
  } else if (directive == "dot") {
    dot_dimensions(op);
  } else if (directive == "convolution") {
    convolution_window(op);
  } else if (directive == "leading_dictionary") {
    if (in_.accept("{")) dictionary("}", op.attributes);
  } else if (directive == "regions") {
    regions_in_parens(op);
  } else if (directive == "barrier_operands") {
    if (in_.accept("("))
      in_.expect(")");
    else
      uses(op.operands);
  } else if (directive == "exponent_mantissa") {
    const std::size_t begin = in_.offset();
    const std::string_view word = in_.word("a format 'e<exponent bits>m<mantissa bits>'");
    const std::size_t m = word.find('m');
    const std::optional<std::int32_t> exponent = m == std::string_view::npos || word[0] != 'e'
                                                     ? std::nullopt
                                                     : parse_integer<std::int32_t>(word.substr(1, m - 1));
    const std::optional<std::int32_t> mantissa =
        exponent ? parse_integer<std::int32_t>(word.substr(m + 1)) : std::nullopt;
    if (!mantissa) in_.fail_at(begin, "a format 'e<exponent bits>m<mantissa bits>'");
    add_attribute(op.attributes, {"exponent_bits", Attribute::integer(*exponent, "i32")});
    add_attribute(op.attributes, {"mantissa_bits", Attribute::integer(*mantissa, "i32")});
  }
  // Attributes that are made of parts of the form stand where the form does.
  if (directive != "leading_dictionary")
    for (std::size_t i = first; i < op.attributes.size(); ++i) op.attributes[i].value.place = place;
}

// [start:limit:stride, ...]; a stride of 1 may be left out.
void Parser::slice_ranges(Op& op) {
  Dims start, limit, strides;
  in_.expect("[");
  if (!in_.looking_at("]")) {
    do {
      start.push_back(in_.integer("a start"));
      in_.expect(":");
      limit.push_back(in_.integer("a limit"));
      strides.push_back(in_.accept(":") ? in_.integer("a stride") : 1);
    } while (in_.accept(","));
  }
  in_.expect("]");
  add_attribute(op.attributes, {"start_indices", Attribute::dims(start)});
  add_attribute(op.attributes, {"limit_indices", Attribute::dims(limit)});
  add_attribute(op.attributes, {"strides", Attribute::dims(strides)});
}

// [, batching_dims = [..] x [..]], contracting_dims = [..] x [..]
void Parser::dot_dimensions(Op& op) {
  Dims lhs_batch, rhs_batch, lhs_contracting, rhs_contracting;
  const auto pair = [&](Dims& lhs, Dims& rhs) {
    in_.expect("=");
    lhs = dim_list();
    in_.expect_word("x");
    rhs = dim_list();
  };
  for (;;) {
    const std::size_t begin = in_.offset();
    if (!in_.accept(",")) break;
    if (in_.accept_word("batching_dims")) {
      pair(lhs_batch, rhs_batch);
    } else if (in_.accept_word("contracting_dims")) {
      pair(lhs_contracting, rhs_contracting);
    } else {
      in_.seek(begin);
      break;
    }
  }
  std::string text = "#stablehlo.dot<";
  const auto field = [&](std::string_view name, const Dims& dims) {
    if (dims.empty()) return;
    if (text.back() != '<') text += ", ";
    text += std::string(name) + " = " + dims_text(dims);
  };
  field("lhs_batching_dimensions", lhs_batch);
  field("rhs_batching_dimensions", rhs_batch);
  field("lhs_contracting_dimensions", lhs_contracting);
  field("rhs_contracting_dimensions", rhs_contracting);
  add_attribute(op.attributes, {"dot_dimension_numbers", Attribute::other(text + ">")});
}

// dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [..], pad = [[..]], lhs_dilate = [..],
// rhs_dilate = [..], reverse = [..]}
void Parser::convolution_window(Op& op) {
  in_.expect_word("dim_numbers");
  in_.expect("=");
  std::string numbers = "#stablehlo.conv<" + in_.bracket_text();
  in_.expect_word("x");
  numbers += "x" + in_.bracket_text();
  in_.expect("->");
  numbers += "->" + in_.bracket_text() + ">";
  add_attribute(op.attributes, {"dimension_numbers", Attribute::other(std::move(numbers))});
  if (!in_.accept(",")) return;
  in_.expect_word("window");
  in_.expect("=");
  in_.expect("{");
  if (in_.accept("}")) return;
  do {
    if (in_.accept_word("stride")) {
      in_.expect("=");
      add_attribute(op.attributes, {"window_strides", Attribute::dims(dim_list())});
    } else if (in_.accept_word("lhs_dilate")) {
      in_.expect("=");
      add_attribute(op.attributes, {"lhs_dilation", Attribute::dims(dim_list())});
    } else if (in_.accept_word("rhs_dilate")) {
      in_.expect("=");
      add_attribute(op.attributes, {"rhs_dilation", Attribute::dims(dim_list())});
    } else if (in_.accept_word("pad")) {
      in_.expect("=");
      in_.expect("[");
      std::string text = "[";
      std::int64_t n = 0;
      if (!in_.looking_at("]")) {
        do {
          const std::size_t at = in_.offset();
          const Dims pair = dim_list();
          if (pair.size() != 2) in_.fail_at(at, "two numbers, [low, high]");
          text += (n++ ? ", " : "") + dims_text(pair);
        } while (in_.accept(","));
      }
      in_.expect("]");
      add_attribute(op.attributes, {"padding", Attribute::dense(n ? text + "]" : "", tensor_type("i64", Dims{n, 2}))});
    } else if (in_.accept_word("reverse")) {
      in_.expect("=");
      in_.expect("[");
      Dims flags;
      if (!in_.looking_at("]")) {
        do {
          if (in_.at_number())
            flags.push_back(in_.integer("true or false") != 0);
          else if (in_.accept_word("true"))
            flags.push_back(1);
          else if (in_.accept_word("false"))
            flags.push_back(0);
          else
            in_.fail("true or false");
        } while (in_.accept(","));
      }
      in_.expect("]");
      add_attribute(op.attributes, {"window_reversal", Attribute::dims(flags, "i1")});
    } else {
      in_.fail("stride, pad, lhs_dilate, rhs_dilate or reverse");
    }
  } while (in_.accept(","));
  in_.expect("}");
}

// The rules, "T" being a type:
//   function        (T, T) -> T
//   same            T of all operands and results, or function
//   complex         T of the result, whose parts the operands are, or function
//   select          T of the predicate, T of all others, or function
//   tuple           tuple<T, T> of the result, whose parts the operands have, or function
//   pairwise        one T per operand; the results have them too, or function
//   arrow           T, T -> T or T -> (T, T), or T of all operands and the result
//   results         T of the results; there are no operands
//   operands        T of the operands; there are no results
//   returned        the same, no colon without operands
//   check           one T for all operands, or one each; there are no results
//   value           the type of the attribute `value` is that of the result
//   value_operand   ... of the operand
void Parser::format_types(Op& op, std::string_view rule) {
  std::vector<TypeRef> types;
  const auto repeated = [&](const TypeRef& t) { return std::vector<TypeRef>(op.operands.size(), t); };
  const bool function = in_.looking_at("(");
  if (rule == "function" || (function && (rule == "same" || rule == "complex" || rule == "select" || rule == "tuple" ||
                                          rule == "pairwise"))) {
    types = type_parens();
    in_.expect("->");
    result_types_ = result_types();
  } else if (rule == "same") {
    result_types_ = {type()};
    types = repeated(result_types_[0]);
  } else if (rule == "complex") {
    const std::size_t at = in_.offset();
    result_types_ = {type()};
    const TypeRef part = part_type(result_types_[0]);
    if (!part) in_.fail_at(at, "a complex tensor");
    types = repeated(part);
  } else if (rule == "select") {
    const TypeRef predicate = type();
    in_.expect(",");
    result_types_ = {type()};
    types = {predicate, result_types_[0], result_types_[0]};
  } else if (rule == "tuple") {
    const std::size_t at = in_.offset();
    result_types_ = {type()};
    if (result_types_[0]->kind != Type::Kind::kTuple) in_.fail_at(at, "a tuple");
    types = result_types_[0]->parts;
  } else if (rule == "pairwise") {
    types = type_list();
    result_types_ = types;
  } else if (rule == "arrow") {
    types = function ? type_parens() : type_list();
    if (in_.accept("->")) {
      result_types_ = in_.looking_at("(") ? type_parens() : type_list();
    } else {
      // As MHLO writes it: the type of all operands and the result.
      if (types.size() != 1) in_.fail("'->'");
      result_types_ = types;
      types = repeated(types[0]);
    }
  } else if (rule == "results") {
    result_types_ = type_list();
  } else if (rule == "operands" || rule == "returned") {
    types = type_list();
  } else if (rule == "check") {
    types = function ? type_parens() : type_list();
    if (function) {
      in_.expect("->");
      type_parens();
    }
    if (types.size() == 1) types = repeated(types[0]);
  } else if (rule == "value") {
    result_types_ = {op.find("value")->type};
  } else if (rule == "value_operand") {
    types = repeated(op.find("value")->type);
  }
  check_operand_types(op, types);
}

}  // namespace weft::stablehlo
