#include "weft/stablehlo/attributes.h"

#include "weft/base/error.h"
#include "weft/stablehlo/lexer.h"

namespace weft::stablehlo {

AttributeFields::AttributeFields(const Module& module, const Attribute* a, std::string_view mnemonic) {
  if (!a) return;
  const std::string prefix = "#stablehlo." + std::string(mnemonic);
  if (a->kind != Attribute::Kind::kOther || !a->text.starts_with(prefix))
    fail_at(module, a->place, "expected " + prefix + "<...>.");
  const std::string_view text = std::string_view(a->text).substr(prefix.size());
  try {
    Lexer in(text, 0, text.size(), {}, line_starts(text));
    in.expect("<");
    while (!in.accept(">")) {
      Field f;
      f.name = std::string(in.word("a field's name"));
      in.expect("=");
      if (in.accept("[")) {
        f.list = true;
        while (!in.accept("]")) {
          f.dims.push_back(in.integer("an integer"));
          if (!in.accept(",") && !in.looking_at("]")) in.fail("',' or ']'");
        }
      } else if (in.at_number()) {
        f.dims.push_back(in.integer("an integer"));
      } else {
        in.word("a value");
      }
      fields_.push_back(std::move(f));
      if (!in.accept(",") && !in.looking_at(">")) in.fail("',' or '>'");
    }
  } catch (const ParseError& e) {
    fail_at(module, a->place, prefix + "<...>: " + e.message());
  }
}

Dims AttributeFields::dims(std::string_view name) const {
  for (const Field& f : fields_)
    if (f.name == name) return f.dims;
  return {};
}

std::int64_t AttributeFields::integer(std::string_view name, std::int64_t otherwise) const {
  for (const Field& f : fields_)
    if (f.name == name && !f.list && f.dims.size() == 1) return f.dims[0];
  return otherwise;
}

Dims AttributeReader::dims(std::string_view name) const {
  const Attribute* a = op.find(name);
  if (!a) fail("there must be an attribute " + std::string(name) + ".");
  if (a->kind == Attribute::Kind::kIntegers) return Dims(std::span<const std::int64_t>(a->integers));
  if (a->kind == Attribute::Kind::kDense) return Dims(std::span<const std::int64_t>(dense_integers(module, *a)));
  if (a->kind == Attribute::Kind::kArray) {
    Dims out;
    for (const NamedAttribute& item : a->items) {
      const std::optional<std::int64_t> v =
          item.value.kind == Attribute::Kind::kNumber ? parse_integer<std::int64_t>(item.value.text) : std::nullopt;
      if (!v) fail_at(module, a->place, op.name + ": " + std::string(name) + " must be a list of integers.");
      out.push_back(*v);
    }
    return out;
  }
  fail_at(module, a->place, op.name + ": " + std::string(name) + " must be a list of integers.");
}

std::int64_t AttributeReader::integer(std::string_view name) const {
  const Attribute* a = op.find(name);
  if (!a) fail("there must be an attribute " + std::string(name) + ".");
  const std::optional<std::int64_t> v =
      a->kind == Attribute::Kind::kNumber ? parse_integer<std::int64_t>(a->text) : std::nullopt;
  if (!v) fail_at(module, a->place, op.name + ": " + std::string(name) + " must be an integer.");
  return *v;
}

bool AttributeReader::boolean(std::string_view name, bool otherwise) const {
  const Attribute* a = op.find(name);
  if (!a) return otherwise;
  if (a->kind == Attribute::Kind::kUnit) return true;
  if (a->kind == Attribute::Kind::kNumber) return a->text != "0";
  if (a->kind != Attribute::Kind::kBool)
    fail_at(module, a->place, op.name + ": " + std::string(name) + " must be true or false.");
  return a->flag;
}

std::string AttributeReader::text(std::string_view name, std::string_view otherwise) const {
  const Attribute* a = op.find(name);
  if (!a) return std::string(otherwise);
  if (a->kind != Attribute::Kind::kString && a->kind != Attribute::Kind::kSymbol)
    fail_at(module, a->place, op.name + ": " + std::string(name) + " must be a string.");
  return a->text;
}

std::string AttributeReader::enumerator(std::string_view name, std::string_view otherwise) const {
  const Attribute* a = op.find(name);
  if (!a) return std::string(otherwise);
  if (a->kind == Attribute::Kind::kString) return a->text;
  const std::size_t begin = a->text.find_last_of("< "), end = a->text.rfind('>');
  if (a->kind != Attribute::Kind::kOther || begin == std::string::npos || end == std::string::npos || end < begin)
    fail_at(module, a->place, op.name + ": " + std::string(name) + " must be an enumerator.");
  return a->text.substr(begin + 1, end - begin - 1);
}

std::vector<Dims> AttributeReader::matrix(std::string_view name) const {
  const Attribute* a = op.find(name);
  if (!a) fail("there must be an attribute " + std::string(name) + ".");
  std::vector<Dims> rows;
  if (a->kind == Attribute::Kind::kDense) {
    if (a->type->shape.size() != 2)
      fail_at(module, a->place, op.name + ": " + std::string(name) + " must have two dimensions.");
    const std::vector<std::int64_t> all = dense_integers(module, *a);
    const std::int64_t columns = a->type->shape[1];
    if (columns > 0)
      for (std::size_t i = 0; i < all.size(); i += static_cast<std::size_t>(columns))
        rows.push_back(Dims(std::span(all).subspan(i, static_cast<std::size_t>(columns))));
    return rows;
  }
  fail_at(module, a->place, op.name + ": " + std::string(name) + " must be dense<...>.");
}

Aval AttributeReader::result() const {
  if (out.empty()) fail("there must be a result.");
  return out[0];
}

}  // namespace weft::stablehlo
