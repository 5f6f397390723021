// The short forms of operations, following formats.h.
#include <algorithm>
#include <cctype>

#include "weft/stablehlo/printer.h"

namespace weft::stablehlo {

namespace {

// "X" of "#stablehlo<mnemonic X>", or "".
std::string_view enumerator(const Attribute& a, std::string_view mnemonic) {
  std::string_view s = a.text;
  const auto skip = [&](std::string_view prefix) {
    if (!s.starts_with(prefix)) return false;
    s.remove_prefix(prefix.size());
    return true;
  };
  if (a.kind != Attribute::Kind::kOther || !skip("#stablehlo<") || !skip(mnemonic) || !skip(" ") || !s.ends_with('>'))
    return {};
  s.remove_suffix(1);
  return is_identifier(s) ? s : std::string_view();
}

bool is_dims(const Attribute* a, std::string_view element = "i64") {
  return a && a->kind == Attribute::Kind::kIntegers && a->text == element;
}

}  // namespace

bool Printer::pretty(const Op& op) {
  const std::size_t begin = out_.size();
  bool done = false;
  if (op.name == "builtin.module")
    done = module(op);
  else if (op.name == "func.func")
    done = function(op);
  else if (op.name == "stablehlo.while")
    done = while_op(op);
  else if (op.name == "stablehlo.reduce")
    done = reduce(op);
  else if (op.name == "chlo.scan")
    done = scan(op);
  else if (op.name == "sdy.named_computation")
    done = named_computation(op);
  else if (const Format* format = find_format(op.name);
           format && (op.regions.empty() || format->text.find("@regions") != std::string_view::npos))
    done = formatted(op, *format);
  if (!done) out_.resize(begin);
  return done;
}

void Printer::other_attributes(const Op& op, std::span<const std::string_view> written, std::string_view before) {
  std::vector<NamedAttribute> rest;
  for (const NamedAttribute& a : op.attributes)
    if (std::ranges::find(written, a.name) == written.end()) rest.push_back(a);
  if (rest.empty()) return;
  out_ += before;
  append_dictionary(out_, rest);
}

bool Printer::module(const Op& op) {
  if (op.regions.size() != 1 || !op.operands.empty() || !op.results.empty()) return false;
  out_ += "module";
  const Attribute* name = op.find("sym_name");
  if (name) {
    if (name->kind != Attribute::Kind::kString) return false;
    out_ += ' ';
    append_symbol(out_, name->text);
  }
  constexpr std::string_view written[] = {"sym_name"};
  other_attributes(op, written, " attributes ");
  out_ += ' ';
  region(op.regions[0], false);
  return true;
}

bool Printer::function(const Op& op) {
  const Attribute* name = op.find("sym_name");
  const Attribute* signature = op.find("function_type");
  const Attribute* visibility = op.find("sym_visibility");
  const Attribute* arg_attrs = op.find("arg_attrs");
  const Attribute* res_attrs = op.find("res_attrs");
  if (!name || name->kind != Attribute::Kind::kString || !signature || signature->kind != Attribute::Kind::kType ||
      signature->type->kind != Type::Kind::kFunction || op.regions.size() != 1 || !op.operands.empty() ||
      !op.results.empty())
    return false;
  const Type& t = *signature->type;
  const std::size_t num_results = t.parts.size() - t.num_inputs;
  const auto fits = [](const Attribute* list, std::size_t n) {
    if (!list) return true;
    if (list->kind != Attribute::Kind::kArray || list->items.size() != n) return false;
    bool any = false;
    for (const NamedAttribute& a : list->items) {
      if (a.value.kind != Attribute::Kind::kDictionary) return false;
      any |= !a.value.items.empty();
    }
    return any;
  };
  if (!fits(arg_attrs, t.num_inputs) || !fits(res_attrs, num_results)) return false;
  const bool declaration = op.regions[0].blocks.empty();
  const std::vector<ValueId> none;
  const auto& arguments = declaration ? none : op.regions[0].body().arguments;
  if (!declaration) {
    if (arguments.size() != t.num_inputs) return false;
    for (std::size_t i = 0; i < arguments.size(); ++i)
      if (!same_type(type(arguments[i]), t.parts[i])) return false;
  }
  out_ += "func.func ";
  if (visibility) {
    if (visibility->kind != Attribute::Kind::kString ||
        (visibility->text != "public" && visibility->text != "private" && visibility->text != "nested"))
      return false;
    out_ += visibility->text + " ";
  }
  append_symbol(out_, name->text);
  out_ += '(';
  for (std::size_t i = 0; i < t.num_inputs; ++i) {
    if (i) out_ += ", ";
    if (!declaration) {
      value(arguments[i]);
      out_ += ": ";
    }
    out_ += t.parts[i]->text;
    if (arg_attrs && !arg_attrs->items[i].value.items.empty()) {
      out_ += ' ';
      append_dictionary(out_, arg_attrs->items[i].value.items);
    }
  }
  out_ += ')';
  if (num_results > 0) {
    out_ += " -> ";
    const bool bare = num_results == 1 && !res_attrs && t.parts.back()->kind != Type::Kind::kFunction;
    if (!bare) out_ += '(';
    for (std::size_t i = 0; i < num_results; ++i) {
      if (i) out_ += ", ";
      out_ += t.parts[t.num_inputs + i]->text;
      if (res_attrs && !res_attrs->items[i].value.items.empty()) {
        out_ += ' ';
        append_dictionary(out_, res_attrs->items[i].value.items);
      }
    }
    if (!bare) out_ += ')';
  }
  constexpr std::string_view written[] = {"sym_name", "function_type", "sym_visibility", "arg_attrs", "res_attrs"};
  other_attributes(op, written, " attributes ");
  if (!declaration) {
    out_ += ' ';
    region(op.regions[0], false);
  }
  return true;
}

bool Printer::while_op(const Op& op) {
  if (op.regions.size() != 2 || op.results.size() != op.operands.size()) return false;
  for (const Region& r : op.regions) {
    if (r.blocks.empty() || r.body().arguments.size() != op.operands.size()) return false;
    for (std::size_t i = 0; i < op.operands.size(); ++i) {
      // Both regions name the carried values alike, since the short form names them once.
      const ValueId a = r.body().arguments[i], first = op.regions[0].body().arguments[i];
      if (m_.values[a].name != m_.values[first].name || !same_type(type(a), type(op.operands[i])) ||
          !same_type(type(a), type(op.results[i])))
        return false;
    }
  }
  out_ += "stablehlo.while(";
  for (std::size_t i = 0; i < op.operands.size(); ++i) {
    if (i) out_ += ", ";
    value(op.regions[0].body().arguments[i]);
    out_ += " = ";
    value(op.operands[i]);
  }
  out_ += ')';
  if (!op.operands.empty()) {
    out_ += " : ";
    types(op.operands);
  }
  other_attributes(op, {}, " attributes ");
  line();
  out_ += "cond ";
  region(op.regions[0], false);
  out_ += " do ";
  region(op.regions[1], false);
  return true;
}

// The operation that a two-argument body applies to its arguments in order, or "".
std::string_view Printer::applied(const Op& op) const {
  const Block& b = op.regions[0].body();
  if (op.operands.size() != 2 || b.arguments.size() != 2 || b.ops.size() != 2) return {};
  const Op& step = b.ops[0];
  const Op& done = b.ops[1];
  const TypeRef& init = type(op.operands[1]);
  if (init->kind != Type::Kind::kTensor) return {};
  const TypeRef scalar = tensor_type(init->element, {});
  const bool fits = step.operands == b.arguments && step.results.size() == 1 && step.attributes.empty() &&
                    step.regions.empty() && done.name == "stablehlo.return" && done.operands == step.results &&
                    done.attributes.empty() && done.regions.empty() && done.results.empty() &&
                    same_type(type(b.arguments[0]), scalar) && same_type(type(b.arguments[1]), scalar) &&
                    same_type(type(step.results[0]), scalar) && is_identifier(step.name);
  return fits ? std::string_view(step.name) : std::string_view();
}

bool Printer::reduce(const Op& op) {
  const Attribute* dimensions = op.find("dimensions");
  const std::size_t n = op.operands.size() / 2;
  if (!is_dims(dimensions) || op.regions.size() != 1 || op.regions[0].blocks.empty() || n == 0 ||
      op.operands.size() != 2 * n || op.regions[0].body().arguments.size() != 2 * n)
    return false;
  out_ += "stablehlo.reduce";
  for (std::size_t i = 0; i < n; ++i) {
    out_ += i ? ", (" : "(";
    value(op.operands[i]);
    out_ += " init: ";
    value(op.operands[n + i]);
    out_ += ')';
  }
  const std::string_view step = applied(op);
  if (!step.empty()) {
    if (op.results.size() != 1) return false;
    out_ += " applies ";
    out_ += step;
  }
  out_ += " across dimensions = ";
  dims(dimensions->integers);
  constexpr std::string_view written[] = {"dimensions"};
  other_attributes(op, written, " ");
  out_ += " : ";
  function_types(op);
  if (!step.empty()) return true;
  line();
  out_ += " reducer";
  const Block& b = op.regions[0].body();
  for (std::size_t i = 0; i < n; ++i) {
    out_ += '(';
    value(b.arguments[i]);
    out_ += ": " + type(b.arguments[i])->text + ", ";
    value(b.arguments[n + i]);
    out_ += ": " + type(b.arguments[n + i])->text + ") ";
  }
  region(op.regions[0], false);
  return true;
}

// Whether a blank stands before a token.
void Printer::space(std::string_view token) {
  if (out_.empty() || token == "," || token == ")" || token == "]" || out_.back() == ' ' || out_.back() == '[' ||
      out_.back() == '(')
    return;
  // "call @f(", "top_k(": the bracket of operands follows at once.
  if (token == "(") return;
  if (token == "[" && !out_.ends_with(' ')) return;
  out_ += ' ';
}

bool Printer::formatted(const Op& op, const Format& format) {
  out_ += op.name;
  std::vector<std::string_view> written;
  // The attributes that the format names are known beforehand, since "{}" may stand before some of them.
  for (FormatTokens scan(format.text);;) {
    const std::string_view token = scan.next();
    if (token.empty()) break;
    if (token[0] == '$') written.push_back(token.substr(1, token.find(':') - 1));
    if (token == "@slice") written.insert(written.end(), {"start_indices", "limit_indices", "strides"});
    if (token == "@dot") written.push_back("dot_dimension_numbers");
    if (token == "@convolution")
      written.insert(written.end(), {"dimension_numbers", "window_strides", "padding", "lhs_dilation", "rhs_dilation",
                                     "window_reversal"});
    if (token == "@exponent_mantissa") written.insert(written.end(), {"exponent_bits", "mantissa_bits"});
  }
  std::size_t next = 0;  // operand
  FormatTokens tokens(format.text);
  for (std::string_view token = tokens.next(); !token.empty(); token = tokens.next()) {
    if (token == "?(") {
      FormatTokens ahead = tokens;
      std::string_view t = ahead.next();
      while (t[0] != '$') t = ahead.next();
      if (!op.find(t.substr(1, t.find(':') - 1)))
        while (tokens.next() != ")?") {
        }
      continue;
    }
    if (token == ")?") continue;
    if (token == "{}") {
      other_attributes(op, written, " ");
    } else if (token == "%*" || token == "%*,") {
      for (const std::size_t first = next; next < op.operands.size(); ++next) {
        if (token == "%*" && next > first) out_ += ',';
        space("%");
        value(op.operands[next]);
        if (token == "%*,") out_ += ',';
      }
    } else if (token[0] == '%') {
      if (next >= op.operands.size()) return false;
      space(token);
      value(op.operands[next++]);
    } else if (token[0] == '$') {
      const std::size_t colon = token.find(':');
      const Attribute* a = op.find(token.substr(1, colon - 1));
      if (!a || !attribute_form(*a, token.substr(colon + 1))) return false;
    } else if (token[0] == '@') {
      if (!directive(op, token.substr(1), written, next)) return false;
    } else if (token.starts_with("T:")) {
      if (!format_types(op, token.substr(2))) return false;
    } else if (token == ":") {
      if (op.operands.empty() && (tokens.rest() == "T:returned" || tokens.rest() == "T:pairwise"))
        return op.results.empty() && next == 0;
      out_ += " : ";
    } else {
      space(token);
      out_ += token;
    }
  }
  return next == op.operands.size();
}

bool Printer::attribute_form(const Attribute& a, std::string_view kind) {
  using Kind = Attribute::Kind;
  space("$");
  if (kind == "i64" || kind == "i32") {
    const std::optional<std::int64_t> n = parse_integer<std::int64_t>(a.text);
    if (a.kind != Kind::kNumber || !a.type || a.type->text != kind || !n || std::to_string(*n) != a.text) return false;
    out_ += a.text;
  } else if (kind == "float") {
    if (a.kind != Kind::kNumber || !a.type || a.type->text != "f64") return false;
    out_ += a.text;
  } else if (kind == "bool") {
    if (a.kind != Kind::kBool) return false;
    out_ += a.flag ? "true" : "false";
  } else if (kind == "dims") {
    if (is_dims(&a))
      dims(a.integers);
    else if (a.kind == Kind::kDense)
      append_attribute(out_, a);
    else
      return false;
  } else if (kind == "string") {
    if (a.kind != Kind::kString) return false;
    append_quoted(out_, a.text);
  } else if (kind == "symbol" || kind == "target") {
    if (a.kind != (kind == "symbol" ? Kind::kSymbol : Kind::kString)) return false;
    if (kind == "target" && a.text.find("::@") != std::string::npos) return false;
    append_symbol(out_, a.text);
  } else if (kind == "dense") {
    if (a.kind != Kind::kDense) return false;
    append_attribute(out_, a);
  } else if (kind == "precision") {
    if (a.kind != Kind::kArray) return false;
    out_ += '[';
    for (std::size_t i = 0; i < a.items.size(); ++i) {
      const std::string_view name = enumerator(a.items[i].value, "precision");
      if (name.empty()) return false;
      out_ += (i ? ", " : "") + std::string(name);
    }
    out_ += ']';
  } else if (kind == "dot_algorithm") {
    constexpr std::string_view prefix = "#stablehlo.dot_algorithm";
    if (a.kind != Kind::kOther || !a.text.starts_with(prefix)) return false;
    out_ += a.text.substr(prefix.size());
  } else if (kind == "sharding" || !axes_prefix(kind).empty()) {
    const std::string_view prefix = kind == "sharding" ? "#sdy.sharding" : axes_prefix(kind);
    const char open = kind == "sharding" ? '<' : kind == "axes" ? '{' : '[';
    if (a.kind != Kind::kOther || !a.text.starts_with(prefix) || !a.text.substr(prefix.size()).starts_with(open))
      return false;
    out_ += a.text.substr(prefix.size());
    if (kind != "sharding") out_.pop_back();
  } else if (kind == "direction") {
    const std::optional<std::size_t> n = parse_integer<std::size_t>(a.text);
    if (a.kind != Kind::kNumber || !a.type || a.type->text != "i32" || !n || *n >= std::size(kPropagationDirections) ||
        std::to_string(*n) != a.text)
      return false;
    out_ += kPropagationDirections[*n];
  } else if (kind == "any") {
    append_attribute(out_, a);
  } else {
    const std::string_view name = enumerator(a, kind);
    if (name.empty()) return false;
    out_ += name;
  }
  return true;
}

bool Printer::directive(const Op& op, std::string_view name, std::span<const std::string_view> written,
                        std::size_t& next) {
  if (name == "leading_dictionary") {
    other_attributes(op, written, " ");
    return true;
  }
  if (name == "barrier_operands") {
    if (op.operands.empty()) out_ += "()";
    for (; next < op.operands.size(); ++next) {
      out_ += next ? ", " : " ";
      value(op.operands[next]);
    }
    return true;
  }
  if (name == "exponent_mantissa") {
    const Attribute* e = op.find("exponent_bits");
    const Attribute* m = op.find("mantissa_bits");
    for (const Attribute* a : {e, m})
      if (!a || a->kind != Attribute::Kind::kNumber || !a->type || a->type->text != "i32" ||
          !parse_integer<std::uint16_t>(a->text))
        return false;
    space("$");
    out_ += "e" + e->text + "m" + m->text;
    return true;
  }
  if (name == "regions") {
    regions_in_parens(op);
    return true;
  }
  if (name == "slice") return slice(op);
  if (name == "dot") return dot(op);
  return convolution(op);
}

bool Printer::slice(const Op& op) {
  const Attribute* start = op.find("start_indices");
  const Attribute* limit = op.find("limit_indices");
  const Attribute* strides = op.find("strides");
  if (!is_dims(start) || !is_dims(limit) || !is_dims(strides) || start->integers.size() != limit->integers.size() ||
      start->integers.size() != strides->integers.size())
    return false;
  out_ += " [";
  for (std::size_t i = 0; i < start->integers.size(); ++i) {
    if (i) out_ += ", ";
    out_ += std::to_string(start->integers[i]) + ":" + std::to_string(limit->integers[i]);
    if (strides->integers[i] != 1) out_ += ":" + std::to_string(strides->integers[i]);
  }
  out_ += ']';
  return true;
}

bool Printer::dot(const Op& op) {
  const Attribute* a = op.find("dot_dimension_numbers");
  constexpr std::string_view prefix = "#stablehlo.dot<";
  if (!a || a->kind != Attribute::Kind::kOther || !a->text.starts_with(prefix)) return false;
  // The reader's spelling, field by field in its order.
  std::string_view rest = std::string_view(a->text).substr(prefix.size());
  rest.remove_suffix(1);
  std::string lists[4];
  constexpr std::string_view names[] = {"lhs_batching_dimensions", "rhs_batching_dimensions",
                                        "lhs_contracting_dimensions", "rhs_contracting_dimensions"};
  for (int i = 0; i < 4; ++i) {
    lists[i] = "[]";
    if (!rest.starts_with(names[i])) continue;
    rest.remove_prefix(names[i].size());
    const std::size_t end = rest.find(']');
    if (!rest.starts_with(" = [") || end == std::string_view::npos || end == 4) return false;
    lists[i] = rest.substr(3, end - 2);
    if (lists[i].find_first_not_of("0123456789-, []") != std::string::npos) return false;
    rest.remove_prefix(end + 1);
    if (rest.starts_with(", ")) rest.remove_prefix(2);
  }
  if (!rest.empty()) return false;
  if (lists[0] != "[]" || lists[1] != "[]") out_ += ", batching_dims = " + lists[0] + " x " + lists[1];
  out_ += ", contracting_dims = " + lists[2] + " x " + lists[3];
  return true;
}

namespace {

/// Whether the text is "[b, 0, f]x[0, i, o]->[b, 0, f]" in the reader's spelling, with any axes: nothing else is the
/// same text in both forms.
bool is_convolution_numbers(std::string_view text) {
  const auto accept = [&](std::string_view token) {
    const bool found = text.starts_with(token);
    if (found) text.remove_prefix(token.size());
    return found;
  };
  const auto axis = [&] {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const std::size_t n = digits ? digits : !text.empty() && std::string_view("bfio").find(text[0]) != text.npos;
    text.remove_prefix(n);
    return n > 0;
  };
  const auto axes = [&] {
    if (!accept("[") || !axis()) return false;
    while (accept(", "))
      if (!axis()) return false;
    return accept("]");
  };
  return axes() && accept("x") && axes() && accept("->") && axes() && text.empty();
}

}  // namespace

bool Printer::convolution(const Op& op) {
  const Attribute* a = op.find("dimension_numbers");
  constexpr std::string_view prefix = "#stablehlo.conv<";
  if (!a || a->kind != Attribute::Kind::kOther || !a->text.starts_with(prefix)) return false;
  std::string_view numbers = std::string_view(a->text).substr(prefix.size());
  numbers.remove_suffix(1);
  if (!is_convolution_numbers(numbers)) return false;
  out_ += " dim_numbers = ";
  out_ += numbers;
  out_ += ", window = {";
  bool first = true;
  const auto key = [&](std::string_view name) {
    out_ += (first ? "" : ", ") + std::string(name) + " = ";
    first = false;
  };
  const auto list = [&](std::string_view attribute, std::string_view name) {
    const Attribute* a = op.find(attribute);
    if (!a) return true;
    if (!is_dims(a)) return false;
    key(name);
    dims(a->integers);
    return true;
  };
  if (!list("window_strides", "stride")) return false;
  if (const Attribute* pad = op.find("padding")) {
    // Only a literal written out in full is the same text in both forms.
    if (pad->kind != Attribute::Kind::kDense || pad->type->element != "i64" || !pad->text.starts_with("[[") ||
        pad->text.find_first_not_of("0123456789-, []") != std::string::npos)
      return false;
    key("pad");
    out_ += pad->text;
  }
  if (!list("lhs_dilation", "lhs_dilate") || !list("rhs_dilation", "rhs_dilate")) return false;
  if (const Attribute* reversal = op.find("window_reversal")) {
    if (!is_dims(reversal, "i1")) return false;
    key("reverse");
    out_ += '[';
    for (std::size_t i = 0; i < reversal->integers.size(); ++i)
      out_ += (i ? ", " : "") + std::string(reversal->integers[i] ? "true" : "false");
    out_ += ']';
  }
  out_ += '}';
  return true;
}

bool Printer::format_types(const Op& op, std::string_view rule) {
  const auto all = [&](std::span<const ValueId> vs, const TypeRef& t) {
    return std::ranges::all_of(vs, [&](ValueId v) { return same_type(type(v), t); });
  };
  const bool one_result = op.results.size() == 1;
  const TypeRef result = one_result ? type(op.results[0]) : nullptr;
  if (rule == "same") {
    if (one_result && result->kind != Type::Kind::kFunction && all(op.operands, result))
      out_ += result->text;
    else
      function_types(op);
  } else if (rule == "complex") {
    const bool short_form = one_result && result->kind == Type::Kind::kTensor &&
                            result->element.starts_with("complex<") &&
                            all(op.operands, tensor_type(result->element.substr(8, result->element.size() - 9),
                                                         result->shape, result->encoding, result->ranked));
    if (short_form)
      out_ += result->text;
    else
      function_types(op);
  } else if (rule == "select") {
    if (one_result && op.operands.size() == 3 && type(op.operands[0])->kind != Type::Kind::kFunction &&
        all(std::span(op.operands).subspan(1), result))
      out_ += type(op.operands[0])->text + ", " + result->text;
    else
      function_types(op);
  } else if (rule == "tuple") {
    bool fits = one_result && result->kind == Type::Kind::kTuple && result->parts.size() == op.operands.size();
    for (std::size_t i = 0; fits && i < op.operands.size(); ++i)
      fits = same_type(result->parts[i], type(op.operands[i]));
    if (fits)
      out_ += result->text;
    else
      function_types(op);
  } else if (rule == "pairwise") {
    bool fits = op.operands.size() == op.results.size() && type(op.operands[0])->kind != Type::Kind::kFunction;
    for (std::size_t i = 0; fits && i < op.operands.size(); ++i)
      fits = same_type(type(op.operands[i]), type(op.results[i]));
    if (fits)
      types(op.operands);
    else
      function_types(op);
  } else if (rule == "function") {
    function_types(op);
  } else if (rule == "arrow") {
    if (op.operands.empty() || op.results.empty() || type(op.operands[0])->kind == Type::Kind::kFunction) return false;
    types(op.operands);
    out_ += " -> ";
    if (op.results.size() > 1) out_ += '(';
    types(op.results);
    if (op.results.size() > 1) out_ += ')';
  } else if (rule == "results") {
    if (!op.operands.empty() || op.results.empty()) return false;
    types(op.results);
  } else if (rule == "operands" || rule == "returned") {
    if (!op.results.empty() || op.operands.empty()) return false;
    types(op.operands);
  } else if (rule == "check") {
    if (!op.results.empty() || op.operands.empty()) return false;
    if (all(op.operands, type(op.operands[0])))
      out_ += type(op.operands[0])->text;
    else
      types(op.operands);
  } else if (rule == "value") {
    return one_result && same_type(result, op.find("value")->type);
  } else if (rule == "value_operand") {
    return op.results.empty() && all(op.operands, op.find("value")->type);
  }
  return true;
}

}  // namespace weft::stablehlo
