// Types and attributes of MLIR text. Big literals stay text here; import reads their numbers.
#include <algorithm>
#include <cctype>

#include "weft/ir/aval.h"
#include "weft/stablehlo/parser.h"

namespace weft::stablehlo {

TypeRef Parser::type() {
  const Depth depth(*this);
  const char c = in_.peek();
  if (c == '!') return dialect_type();
  if (c == '(') {
    std::vector<TypeRef> inputs = type_parens();
    in_.expect("->");
    return function_type(std::move(inputs), result_types());
  }
  const std::string_view word = in_.peek_word();
  if (word.empty()) in_.fail("a type");
  if (word == "tensor") return tensor();
  if (word == "tuple") {
    in_.word("a type");
    in_.expect("<");
    std::vector<TypeRef> parts;
    if (!in_.looking_at(">")) parts = type_list();
    in_.expect(">");
    return tuple_type(std::move(parts));
  }
  std::string text(in_.word("a type"));
  if (in_.looking_at("<")) text += in_.bracket_text();
  return other_type(std::move(text));
}

TypeRef Parser::dialect_type() {
  const std::size_t begin = in_.offset();
  std::string name(in_.sigil_name('!', "a type"));
  if (const auto it = type_aliases_.find(name); it != type_aliases_.end()) return it->second;
  if (name == "stablehlo.token" || name == "mhlo.token") return token_type();
  if (name == "stablehlo.future") {
    in_.expect("<");
    std::vector<TypeRef> parts = type_list();
    in_.expect(">");
    return future_type(std::move(parts));
  }
  if (name.find('.') == std::string::npos && !in_.looking_at("<"))
    in_.fail_at(begin, "a type alias that is defined above");
  std::string text = "!" + name;
  if (in_.looking_at("<")) text += in_.bracket_text();
  return other_type(std::move(text));
}

TypeRef Parser::tensor() {
  const std::size_t begin = in_.offset();
  in_.expect_word("tensor");
  // Programs repeat a few types many times; most are found by their spelling.
  const std::size_t open = in_.offset();
  const std::string_view spelled = in_.raw_angle_body();
  if (const auto it = types_.find(spelled); it != types_.end()) return it->second;
  const std::size_t after = in_.offset();
  in_.seek(open);
  in_.expect("<");
  Dims shape;
  bool ranked = true;
  if (in_.accept("*")) {
    ranked = false;
    in_.expect("x");
  } else {
    for (;;) {
      if (in_.accept("?")) {
        shape.push_back(kDynamic);
      } else if (in_.peek() >= '0' && in_.peek() <= '9') {
        const std::size_t at = in_.offset();
        const std::optional<std::int64_t> size = parse_integer<std::int64_t>(in_.digits("a size"));
        if (!size) in_.fail_at(at, "a size of at most 2^63 - 1");
        shape.push_back(*size);
      } else {
        break;
      }
      in_.expect("x");
      if (shape.size() > kMaxRank)
        in_.fail_at(begin, "a tensor of at most " + std::to_string(kMaxRank) + " dimensions");
    }
  }
  const TypeRef element = type();
  std::string encoding;
  if (in_.accept(",")) encoding = attribute_text(attribute());
  in_.expect(">");
  TypeRef made = tensor_type(element->text, shape, std::move(encoding), ranked);
  in_.seek(after);
  types_.emplace(spelled, made);
  return made;
}

std::vector<TypeRef> Parser::type_parens() {
  std::vector<TypeRef> types;
  in_.expect("(");
  if (!in_.looking_at(")")) types = type_list();
  in_.expect(")");
  return types;
}

std::vector<TypeRef> Parser::result_types() {
  if (in_.looking_at("(")) return type_parens();
  return {type()};
}

std::vector<TypeRef> Parser::type_list() {
  std::vector<TypeRef> types;
  do types.push_back(type());
  while (in_.accept(","));
  return types;
}

Dims Parser::dim_list() {
  Dims dims;
  in_.expect("[");
  if (in_.accept("]")) return dims;
  do dims.push_back(in_.integer("an integer"));
  while (in_.accept(","));
  in_.expect("]");
  return dims;
}

Attribute Parser::number_attribute(bool typed) {
  Attribute a;
  a.kind = Attribute::Kind::kNumber;
  a.text = std::string(in_.number("a number"));
  if (typed && in_.accept(":")) a.type = type();
  return a;
}

Attribute Parser::attribute() {
  const Depth depth(*this);
  const TextPosition place = in_.place();
  Attribute a;
  const char c = in_.peek();
  const std::string_view word = in_.peek_word();
  if (in_.at_number()) {
    a = number_attribute(true);
  } else if (c == '"') {
    a = Attribute::string(in_.quoted());
    if (in_.accept(":")) type();
  } else if (c == '@') {
    a = Attribute::symbol(in_.symbol());
  } else if (c == '#') {
    a = hash_attribute();
  } else if (c == '[') {
    in_.expect("[");
    a.kind = Attribute::Kind::kArray;
    if (!in_.looking_at("]")) {
      do a.items.push_back({std::string(), attribute()});
      while (in_.accept(","));
    }
    in_.expect("]");
  } else if (c == '{') {
    in_.expect("{");
    a.kind = Attribute::Kind::kDictionary;
    dictionary("}", a.items);
  } else if (word == "true" || word == "false") {
    a = Attribute::boolean(in_.word("a boolean") == "true");
  } else if (word == "unit") {
    in_.word("unit");
  } else if (word == "dense") {
    a = dense_attribute();
  } else if (word == "array") {
    a = integers_attribute();
  } else if (word == "dense_resource") {
    a = resource_attribute();
  } else if (word == "loc") {
    skip_location();
    a = Attribute::other("loc(unknown)");
  } else if (word == "affine_map" || word == "affine_set" || word == "sparse" || word == "opaque" ||
             word == "distinct" || word == "strided") {
    a.kind = Attribute::Kind::kOther;
    a.text = std::string(in_.word("an attribute"));
    while (in_.looking_at("<") || in_.looking_at("[")) a.text += in_.bracket_text();
    if (in_.accept(":")) a.text += " : " + type()->text;
  } else if (!word.empty() || c == '!' || c == '(') {
    a = Attribute::of_type(type());
  } else {
    in_.fail("an attribute");
  }
  a.place = place;
  return a;
}

Attribute Parser::hash_attribute() {
  const std::size_t begin = in_.offset();
  const std::string name(in_.sigil_name('#', "an attribute"));
  if (const auto it = attribute_aliases_.find(name); it != attribute_aliases_.end()) {
    expanded_ += it->second.bytes;
    if (expanded_ > kMaxExpanded) in_.fail("aliases that stand for at most 256 MiB together");
    return it->second.attribute;
  }
  if (name.find('.') == std::string::npos && !in_.looking_at("<"))
    in_.fail_at(begin, "an attribute alias that is defined above");
  std::string text = "#" + name;
  if (in_.looking_at("<")) text += without_aliases(in_.bracket_text());
  return Attribute::other(current_attribute(std::move(text)));
}

// Attributes that this tree has no kind for stay text, in which aliases are replaced, too.
std::string Parser::without_aliases(std::string text) {
  if (attribute_aliases_.empty() || text.find('#') == std::string::npos) return text;
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i + 1;
    if (text[i] == '"') {
      while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
      end = std::min(end + 1, text.size());
    } else if (text[i] == '#') {
      while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '_' ||
                                   text[end] == '$' || text[end] == '.' || text[end] == '-'))
        ++end;
      const auto it = attribute_aliases_.find(text.substr(i + 1, end - i - 1));
      if (it != attribute_aliases_.end()) {
        expanded_ += it->second.bytes;
        if (expanded_ > kMaxExpanded) in_.fail("aliases that stand for at most 256 MiB together");
        out += attribute_text(it->second.attribute);
        i = end;
        continue;
      }
    }
    out += text.substr(i, end - i);
    i = end;
  }
  return out;
}

Attribute Parser::dense_attribute() {
  in_.expect_word("dense");
  std::string text(in_.raw_angle_body());
  in_.expect(":");
  const std::size_t at = in_.offset();
  TypeRef t = type();
  if (t->kind != Type::Kind::kTensor && !t->text.starts_with("vector<")) in_.fail_at(at, "a tensor type");
  return Attribute::dense(std::move(text), std::move(t));
}

Attribute Parser::integers_attribute() {
  in_.expect_word("array");
  const std::size_t open = in_.offset();
  in_.expect("<");
  Attribute a;
  a.kind = Attribute::Kind::kIntegers;
  a.text = type()->text;
  const bool integers = a.text.size() > 1 && (a.text[0] == 'i' || a.text.starts_with("si") || a.text.starts_with("ui"));
  if (!integers) {
    in_.seek(open);
    return Attribute::other("array" + in_.bracket_text());
  }
  if (in_.accept(":")) {
    do {
      if (in_.accept_word("true"))
        a.integers.push_back(1);
      else if (in_.accept_word("false"))
        a.integers.push_back(0);
      else
        a.integers.push_back(in_.integer("an integer"));
    } while (in_.accept(","));
  }
  in_.expect(">");
  return a;
}

void Parser::add_attribute(std::vector<NamedAttribute>& into, NamedAttribute a) {
  // Long dictionaries occur only as constants of front ends; a scan is quick for all others.
  if (std::ranges::find(into, a.name, &NamedAttribute::name) != into.end())
    in_.refuse(a.value.place, "an attribute must stand once; got " + a.name + " again.");
  if (into.size() >= 4096) in_.fail("at most 4096 attributes in one dictionary");
  into.push_back(std::move(a));
}

void Parser::dictionary(std::string_view close, std::vector<NamedAttribute>& into) {
  if (in_.accept(close)) return;
  do {
    NamedAttribute a;
    const TextPosition place = in_.place();
    if (in_.peek() == '"')
      a.name = in_.quoted();
    else
      a.name = std::string(in_.word("an attribute's name"));
    a.value.place = place;
    if (in_.accept("=")) a.value = attribute();
    add_attribute(into, std::move(a));
  } while (in_.accept(","));
  in_.expect(close);
}

void Parser::skip_location() {
  in_.expect_word("loc");
  if (!in_.looking_at("(")) in_.fail("'('");
  in_.bracket_text();
}

namespace {

std::size_t memory_of(const Attribute& a) {
  std::size_t bytes = sizeof a + a.text.size() + a.integers.size() * sizeof(std::int64_t);
  for (const NamedAttribute& item : a.items) bytes += item.name.size() + memory_of(item.value);
  return bytes;
}

}  // namespace

// An alias may name aliases, so a few lines could stand for any amount: what they stand for is counted.
void Parser::alias() {
  if (in_.peek() == '!') {
    const std::size_t begin = in_.offset();
    const std::string name(in_.sigil_name('!', "a type alias"));
    if (type_aliases_.contains(name)) in_.fail_at(begin, "a name that no type alias has yet");
    in_.expect("=");
    TypeRef t = type();
    if (t->text.size() > kMaxTypeText) in_.fail("a type of at most 1 MiB");
    type_aliases_[name] = std::move(t);
    return;
  }
  const std::size_t begin = in_.offset();
  const std::string name(in_.sigil_name('#', "an attribute alias"));
  if (attribute_aliases_.contains(name)) in_.fail_at(begin, "a name that no attribute alias has yet");
  in_.expect("=");
  Attribute a = attribute();
  const std::size_t bytes = memory_of(a);
  attribute_aliases_[name] = {std::move(a), bytes};
}

}  // namespace weft::stablehlo
