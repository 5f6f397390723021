#include "weft/stablehlo/syntax.h"

#include <algorithm>

#include "weft/base/error.h"

namespace weft::stablehlo {

// ---- types ----

TypeRef tensor_type(std::string element, DimSpan shape, std::string encoding, bool ranked) {
  auto t = std::make_shared<Type>();
  t->kind = Type::Kind::kTensor;
  t->ranked = ranked;
  t->shape = Dims(shape);
  t->text = "tensor<";
  if (!ranked) t->text += "*x";
  for (const std::int64_t d : shape) t->text += (d < 0 ? "?" : std::to_string(d)) + "x";
  t->text += element;
  if (!encoding.empty()) t->text += ", " + encoding;
  t->text += ">";
  t->element = std::move(element);
  t->encoding = std::move(encoding);
  return t;
}

namespace {

std::string type_list(std::span<const TypeRef> types) {
  std::string out;
  for (std::size_t i = 0; i < types.size(); ++i) out += (i ? ", " : "") + types[i]->text;
  return out;
}

TypeRef type_of_parts(Type::Kind kind, std::string_view name, std::vector<TypeRef> parts) {
  auto t = std::make_shared<Type>();
  t->kind = kind;
  t->text = std::string(name) + "<" + type_list(parts) + ">";
  t->parts = std::move(parts);
  return t;
}

}  // namespace

TypeRef tuple_type(std::vector<TypeRef> parts) { return type_of_parts(Type::Kind::kTuple, "tuple", std::move(parts)); }

TypeRef future_type(std::vector<TypeRef> parts) {
  return type_of_parts(Type::Kind::kFuture, "!stablehlo.future", std::move(parts));
}

TypeRef function_type(std::vector<TypeRef> inputs, const std::vector<TypeRef>& results) {
  auto t = std::make_shared<Type>();
  t->kind = Type::Kind::kFunction;
  t->num_inputs = inputs.size();
  const bool bare = results.size() == 1 && results[0]->kind != Type::Kind::kFunction;
  t->text = "(" + type_list(inputs) + ") -> " + (bare ? results[0]->text : "(" + type_list(results) + ")");
  t->parts = std::move(inputs);
  t->parts.insert(t->parts.end(), results.begin(), results.end());
  return t;
}

TypeRef token_type() {
  static const TypeRef* const token = [] {
    auto t = std::make_shared<Type>();
    t->kind = Type::Kind::kToken;
    t->text = "!stablehlo.token";
    return new TypeRef(std::move(t));
  }();
  return *token;
}

TypeRef other_type(std::string text) {
  auto t = std::make_shared<Type>();
  t->text = std::move(text);
  return t;
}

// ---- attributes ----

Attribute Attribute::boolean(bool v) {
  Attribute a;
  a.kind = Kind::kBool;
  a.flag = v;
  return a;
}

Attribute Attribute::integer(std::int64_t v, std::string_view type) {
  Attribute a;
  a.kind = Kind::kNumber;
  a.text = std::to_string(v);
  if (type == "i64") {
    static const TypeRef* const i64 = new TypeRef(other_type("i64"));
    a.type = *i64;
  } else {
    a.type = other_type(std::string(type));
  }
  return a;
}

Attribute Attribute::string(std::string v) {
  Attribute a;
  a.kind = Kind::kString;
  a.text = std::move(v);
  return a;
}

Attribute Attribute::symbol(std::string name) {
  Attribute a;
  a.kind = Kind::kSymbol;
  a.text = std::move(name);
  return a;
}

Attribute Attribute::dims(DimSpan v, std::string element) {
  Attribute a;
  a.kind = Kind::kIntegers;
  a.text = std::move(element);
  a.integers.assign(v.begin(), v.end());
  return a;
}

Attribute Attribute::other(std::string text) {
  Attribute a;
  a.kind = Kind::kOther;
  a.text = std::move(text);
  return a;
}

Attribute Attribute::dense(std::string text, TypeRef type) {
  Attribute a;
  a.kind = Kind::kDense;
  a.text = std::move(text);
  a.type = std::move(type);
  return a;
}

Attribute Attribute::of_type(TypeRef type) {
  Attribute a;
  a.kind = Kind::kType;
  a.type = std::move(type);
  return a;
}

Attribute Attribute::array(std::vector<Attribute> items) {
  Attribute a;
  a.kind = Kind::kArray;
  for (Attribute& item : items) a.items.push_back({std::string(), std::move(item)});
  return a;
}

Attribute Attribute::dictionary(std::vector<NamedAttribute> items) {
  Attribute a;
  a.kind = Kind::kDictionary;
  a.items = std::move(items);
  return a;
}

namespace {

bool same_dictionary(const std::vector<NamedAttribute>& a, const std::vector<NamedAttribute>& b) {
  if (a.size() != b.size()) return false;
  // Names are distinct, which the parser checks.
  for (std::size_t i = 0; i < a.size(); ++i) {
    const NamedAttribute* other = &b[i];
    if (other->name != a[i].name) {
      const auto it = std::ranges::find(b, a[i].name, &NamedAttribute::name);
      if (it == b.end()) return false;
      other = &*it;
    }
    if (!(a[i].value == other->value)) return false;
  }
  return true;
}

bool same_region(const Module& x, const Region& a, const Module& y, const Region& b);

bool same_op(const Module& x, const Op& a, const Module& y, const Op& b) {
  if (a.name != b.name || a.operands != b.operands || a.results != b.results || a.regions.size() != b.regions.size() ||
      !same_dictionary(a.attributes, b.attributes))
    return false;
  for (const ValueId v : a.results)
    if (!same_type(x.type(v), y.type(v))) return false;
  for (std::size_t i = 0; i < a.regions.size(); ++i)
    if (!same_region(x, a.regions[i], y, b.regions[i])) return false;
  return true;
}

bool same_region(const Module& x, const Region& a, const Module& y, const Region& b) {
  if (a.blocks.size() != b.blocks.size()) return false;
  for (std::size_t i = 0; i < a.blocks.size(); ++i) {
    const Block& p = a.blocks[i];
    const Block& q = b.blocks[i];
    if (p.arguments != q.arguments || p.ops.size() != q.ops.size()) return false;
    for (const ValueId v : p.arguments)
      if (!same_type(x.type(v), y.type(v))) return false;
    for (std::size_t j = 0; j < p.ops.size(); ++j)
      if (!same_op(x, p.ops[j], y, q.ops[j])) return false;
  }
  return true;
}

}  // namespace

bool operator==(const Attribute& a, const Attribute& b) {
  if (a.kind != b.kind || a.flag != b.flag || a.text != b.text || a.integers != b.integers ||
      !(same_type(a.type, b.type) || (!a.type && !b.type)))
    return false;
  if (a.kind == Attribute::Kind::kDictionary) return same_dictionary(a.items, b.items);
  if (a.items.size() != b.items.size()) return false;
  for (std::size_t i = 0; i < a.items.size(); ++i)
    if (!(a.items[i].value == b.items[i].value)) return false;
  return true;
}

bool operator==(const Module& a, const Module& b) {
  return a.values.size() == b.values.size() && same_op(a, a.top, b, b.top);
}

// ---- operations ----

const Attribute* Op::find(std::string_view attribute) const {
  for (const NamedAttribute& a : attributes)
    if (a.name == attribute) return &a.value;
  return nullptr;
}

std::string_view Op::symbol() const {
  const Attribute* name = find("sym_name");
  return name && name->kind == Attribute::Kind::kString ? std::string_view(name->text) : std::string_view();
}

std::string place_text(const Module& module, TextPosition place) {
  return (module.source.empty() ? std::string() : module.source + ":") + place.str();
}

void fail_at(const Module& module, TextPosition place, const std::string& message, const std::string& hint) {
  // The place in the text is all there is to say: no line of C++ below it.
  const ForcedLocation nowhere{SourceLocation()};
  throw ParseError(place_text(module, place) + ": " + message, hint);
}

}  // namespace weft::stablehlo
