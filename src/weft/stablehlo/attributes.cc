#include "weft/stablehlo/attributes.h"

#include <algorithm>

#include "weft/base/error.h"
#include "weft/stablehlo/lexer.h"

namespace weft::stablehlo {

namespace {

// An attribute in an error: literals may be megabytes.
std::string shown(const Attribute& a) {
  if (a.kind == Attribute::Kind::kDense) return "dense<...> : " + a.type->text;
  std::string text = attribute_text(a);
  if (text.size() <= 64) return text;
  std::size_t n = 61;
  while (n > 0 && (static_cast<unsigned char>(text[n]) & 0xC0) == 0x80) --n;  // not a part of a character
  return text.substr(0, n) + "...";
}

}  // namespace

AttributeFields::AttributeFields(const Module& module, const Attribute* a, std::string_view mnemonic, Names lists,
                                 Names integers, Names nested) {
  if (!a) return;
  const std::string stablehlo = "#stablehlo." + std::string(mnemonic), chlo = "#chlo." + std::string(mnemonic);
  const std::string& prefix = a->text.starts_with(chlo) ? chlo : stablehlo;
  if (a->kind != Attribute::Kind::kOther || !a->text.starts_with(prefix + "<"))
    fail_at(module, a->place, "there must be " + prefix + "<...>; got " + shown(*a) + ".");
  const auto refuse = [&](const std::string& what) { fail_at(module, a->place, prefix + "<...>: " + what); };
  const auto is_in = [](Names names, const std::string& name) { return std::ranges::find(names, name) != names.end(); };
  const std::string_view text = std::string_view(a->text).substr(prefix.size());
  try {
    Lexer in(text, 0, text.size(), {}, nullptr);
    const auto read = [&](const auto& self, int depth) -> void {
      in.expect("<");
      if (mnemonic == "conv") in.accept_word("raw");  // of a convolution's axes, by name
      while (!in.accept(">")) {
        Field f;
        f.name = std::string(in.word("a field's name"));
        const bool list = is_in(lists, f.name), holds_fields = depth == 0 && is_in(nested, f.name);
        if (!list && !holds_fields && !is_in(integers, f.name)) {
          std::string known;
          for (const Names& names : {lists, integers, nested})
            if (names.size() > 0) known += (known.empty() ? "" : ", ") + join(names, ", ");
          refuse("there is no field " + f.name + " (known: " + known + ").");
        }
        if (std::ranges::find(fields_, f.name, &Field::name) != fields_.end())
          refuse("a field must stand once; got " + f.name + " again.");
        in.expect("=");
        if (holds_fields) {
          // #mhlo.dot<...>, or <...> alone.
          if (in.peek() == '#') in.sigil_name('#', "an attribute");
          self(self, depth + 1);
        } else if (!list) {
          f.dims.push_back(in.integer("an integer as " + f.name));
        } else {
          if (!in.accept("[")) in.fail("a list of integers as " + f.name);
          while (!in.accept("]")) {
            f.dims.push_back(in.integer("an integer"));
            if (!in.accept(",") && !in.looking_at("]")) in.fail("',' or ']'");
          }
        }
        fields_.push_back(std::move(f));
        if (!in.accept(",") && !in.looking_at(">")) in.fail("',' or '>'");
      }
    };
    read(read, 0);
    if (!in.at_end()) in.fail("the end of the attribute");
  } catch (const ParseError& e) {
    // What refuse throws names the place already.
    if (e.message().starts_with(place_text(module, a->place))) throw;
    refuse(e.message());
  }
}

Dims AttributeFields::dims(std::string_view name) const {
  for (const Field& f : fields_)
    if (f.name == name) return f.dims;
  return {};
}

std::int64_t AttributeFields::integer(std::string_view name, std::int64_t otherwise) const {
  for (const Field& f : fields_)
    if (f.name == name) return f.dims[0];
  return otherwise;
}

namespace {
thread_local AskedAttributes* asked = nullptr;
}  // namespace

AskedAttributes::AskedAttributes() { asked = this; }
AskedAttributes::~AskedAttributes() { asked = nullptr; }

const Attribute* AttributeReader::find(std::string_view name) const {
  if (asked) asked->by_operation[op.name].emplace(name);
  return op.find(name);
}

const Attribute& AttributeReader::required(std::string_view name) const {
  const Attribute* a = find(name);
  if (!a) fail("there must be an attribute " + std::string(name) + ".");
  return *a;
}

void AttributeReader::mistyped(const Attribute& a, std::string_view name, std::string_view what) const {
  fail_at(module, a.place,
          op.name + ": " + std::string(name) + " must be " + std::string(what) + "; got " + shown(a) + ".");
}

namespace {

// The integer that an attribute is, unless it is a number of another type.
std::optional<std::int64_t> integer_in(const Attribute& a) {
  if (a.kind != Attribute::Kind::kNumber) return std::nullopt;
  if (a.type && !a.type->text.starts_with('i') && !a.type->text.starts_with("si") && !a.type->text.starts_with("ui"))
    return std::nullopt;
  return integer_of(a.text);
}

}  // namespace

Dims AttributeReader::dims(std::string_view name) const {
  const Attribute& a = required(name);
  constexpr std::string_view what = "a list of integers";
  if (a.kind == Attribute::Kind::kIntegers) return Dims(std::span<const std::int64_t>(a.integers));
  if (a.kind == Attribute::Kind::kDense) {
    if (a.type->shape.size() != 1) mistyped(a, name, what);
    return Dims(std::span<const std::int64_t>(dense_integers(module, a)));
  }
  if (a.kind != Attribute::Kind::kArray) mistyped(a, name, what);
  Dims out;
  for (const NamedAttribute& item : a.items) {
    const std::optional<std::int64_t> v = integer_in(item.value);
    if (!v) mistyped(a, name, what);
    out.push_back(*v);
  }
  return out;
}

std::int64_t AttributeReader::integer(std::string_view name) const {
  const Attribute& a = required(name);
  const std::optional<std::int64_t> v = integer_in(a);
  if (!v) mistyped(a, name, "an integer");
  return *v;
}

bool AttributeReader::boolean(std::string_view name) const {
  const Attribute& a = required(name);
  // Older printers wrote 1 : i1.
  const bool number =
      a.kind == Attribute::Kind::kNumber && (a.text == "0" || a.text == "1") && a.type && a.type->text == "i1";
  if (a.kind != Attribute::Kind::kBool && !number) mistyped(a, name, "true or false");
  return number ? a.text == "1" : a.flag;
}

bool AttributeReader::flag(std::string_view name) const {
  const Attribute* a = find(name);
  return a && (a->kind == Attribute::Kind::kUnit || boolean(name));
}

std::string AttributeReader::text(std::string_view name) const {
  const Attribute& a = required(name);
  if (a.kind != Attribute::Kind::kString && a.kind != Attribute::Kind::kSymbol) mistyped(a, name, "a string");
  return a.text;
}

std::size_t AttributeReader::enumerator(std::string_view name, std::string_view mnemonic,
                                        std::span<const std::string_view> names) const {
  const Attribute& a = required(name);
  std::string_view text;
  if (a.kind == Attribute::Kind::kString) text = a.text;
  // #stablehlo<mnemonic VALUE> or #stablehlo.mnemonic<VALUE>; the dialects share these.
  if (a.kind == Attribute::Kind::kOther && a.text.ends_with('>'))
    for (const char* dialect : {"#stablehlo", "#chlo", "#mhlo"})
      for (const std::string& prefix :
           {dialect + ("<" + std::string(mnemonic)) + " ", dialect + ("." + std::string(mnemonic)) + "<"})
        if (a.text.starts_with(prefix))
          text = std::string_view(a.text).substr(prefix.size(), a.text.size() - prefix.size() - 1);
  const auto it = std::ranges::find(names, text);
  if (it == names.end())
    mistyped(a, name, "#stablehlo<" + std::string(mnemonic) + " X>, X one of " + join(names, ", "));
  return static_cast<std::size_t>(it - names.begin());
}

std::vector<Dims> AttributeReader::matrix(std::string_view name) const {
  const Attribute& a = required(name);
  if (a.kind != Attribute::Kind::kDense || a.type->shape.size() != 2)
    mistyped(a, name, "dense<...> with two dimensions");
  std::vector<Dims> rows;
  const std::vector<std::int64_t> all = dense_integers(module, a);
  const std::int64_t columns = a.type->shape[1];
  if (columns > 0)
    for (std::size_t i = 0; i < all.size(); i += static_cast<std::size_t>(columns))
      rows.push_back(Dims(std::span(all).subspan(i, static_cast<std::size_t>(columns))));
  return rows;
}

Aval AttributeReader::result() const {
  if (out.empty()) fail("there must be a result; got none.");
  return out[0];
}

}  // namespace weft::stablehlo
