// Trees in the generic form, and attributes in the form that both have.
#include <algorithm>
#include <cctype>

#include "weft/stablehlo/printer.h"

namespace weft::stablehlo {

static constexpr std::string_view kHexDigits = "0123456789ABCDEF";

void append_quoted(std::string& out, std::string_view s) {
  out += '"';
  for (const char c : s) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\' || u < 0x20 || u >= 0x7f) {
      out += '\\';
      out += kHexDigits[u >> 4];
      out += kHexDigits[u & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

bool is_identifier(std::string_view s) {
  if (s.empty() || std::isdigit(static_cast<unsigned char>(s[0])) || s[0] == '.' || s[0] == '$') return false;
  return std::ranges::all_of(
      s, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '$'; });
}

void append_symbol(std::string& out, std::string_view name) {
  for (;;) {
    const std::size_t n = name.find("::@");
    const std::string_view part = name.substr(0, n);
    out += '@';
    if (is_identifier(part))
      out += part;
    else
      append_quoted(out, part);
    if (n == std::string_view::npos) return;
    out += "::";
    name = name.substr(n + 3);
  }
}

static void append_named(std::string& out, const NamedAttribute& a) {
  if (is_identifier(a.name))
    out += a.name;
  else
    append_quoted(out, a.name);
  if (a.value.kind == Attribute::Kind::kUnit) return;
  out += " = ";
  append_attribute(out, a.value);
}

void append_dictionary(std::string& out, std::span<const NamedAttribute> items) {
  out += '{';
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i) out += ", ";
    append_named(out, items[i]);
  }
  out += '}';
}

void append_attribute(std::string& out, const Attribute& a) {
  switch (a.kind) {
    case Attribute::Kind::kUnit: out += "unit"; break;
    case Attribute::Kind::kBool: out += a.flag ? "true" : "false"; break;
    case Attribute::Kind::kNumber:
      out += a.text;
      if (a.type) out += " : " + a.type->text;
      break;
    case Attribute::Kind::kString: append_quoted(out, a.text); break;
    case Attribute::Kind::kSymbol: append_symbol(out, a.text); break;
    case Attribute::Kind::kArray:
      out += '[';
      for (std::size_t i = 0; i < a.items.size(); ++i) {
        if (i) out += ", ";
        append_attribute(out, a.items[i].value);
      }
      out += ']';
      break;
    case Attribute::Kind::kDictionary: append_dictionary(out, a.items); break;
    case Attribute::Kind::kIntegers:
      out += "array<" + a.text;
      for (std::size_t i = 0; i < a.integers.size(); ++i) {
        out += i ? ", " : ": ";
        if (a.text == "i1")
          out += a.integers[i] ? "true" : "false";
        else
          out += std::to_string(a.integers[i]);
      }
      out += '>';
      break;
    case Attribute::Kind::kDense: out += "dense<" + a.text + "> : " + a.type->text; break;
    case Attribute::Kind::kType: out += a.type->text; break;
    case Attribute::Kind::kOther: out += a.text; break;
  }
}

std::string Printer::run() {
  operation(m_.top);
  out_ += '\n';
  return std::move(out_);
}

void Printer::value(ValueId v) {
  const Value& x = m_.values[v];
  out_ += '%' + x.name;
  // Results that share a name are told apart; the first has followers when the next value continues it.
  const bool shared =
      x.index > 0 || (v + 1 < m_.values.size() && m_.values[v + 1].index == 1 && m_.values[v + 1].name == x.name);
  if (shared) out_ += '#' + std::to_string(x.index);
}

void Printer::function_types(const Op& op) {
  out_ += '(';
  types(op.operands);
  out_ += ") -> ";
  if (op.results.size() == 1 && type(op.results[0])->kind != Type::Kind::kFunction) {
    out_ += type(op.results[0])->text;
  } else {
    out_ += '(';
    types(op.results);
    out_ += ')';
  }
}

void Printer::operation(const Op& op) {
  if (!op.results.empty() && !m_.values[op.results[0]].name.empty()) {
    for (std::size_t i = 0; i < op.results.size();) {
      const Value& first = m_.values[op.results[i]];
      std::size_t n = 1;
      while (i + n < op.results.size() && m_.values[op.results[i + n]].index == n &&
             m_.values[op.results[i + n]].name == first.name)
        ++n;
      if (i) out_ += ", ";
      out_ += '%' + first.name;
      if (n > 1) out_ += ':' + std::to_string(n);
      i += n;
    }
    out_ += " = ";
  }
  if (form_ == Form::kGeneric || !pretty(op)) generic(op);
}

void Printer::region(const Region& r, bool named_arguments) {
  out_ += '{';
  if (!r.blocks.empty()) {
    const Block& b = r.blocks.front();
    if (named_arguments && (!b.arguments.empty() || b.ops.empty())) {
      line();
      out_ += "^bb0";
      if (!b.arguments.empty()) {
        out_ += '(';
        for (std::size_t i = 0; i < b.arguments.size(); ++i) {
          if (i) out_ += ", ";
          value(b.arguments[i]);
          out_ += ": " + type(b.arguments[i])->text;
        }
        out_ += ')';
      }
      out_ += ':';
    }
    indent_ += 2;
    for (const Op& op : b.ops) {
      line();
      operation(op);
    }
    indent_ -= 2;
    line();
  }
  out_ += '}';
}

void Printer::generic(const Op& op) {
  append_quoted(out_, op.name);
  out_ += '(';
  values(op.operands);
  out_ += ')';
  regions_in_parens(op);
  if (!op.attributes.empty()) {
    out_ += ' ';
    append_dictionary(out_, op.attributes);
  }
  out_ += " : ";
  function_types(op);
}

std::string print(const Module& module, Form form) { return Printer(module, form).run(); }

std::string attribute_text(const Attribute& a) {
  std::string out;
  append_attribute(out, a);
  return out;
}

std::string dictionary_text(const std::vector<NamedAttribute>& items) {
  std::string out;
  append_dictionary(out, items);
  return out;
}

}  // namespace weft::stablehlo
