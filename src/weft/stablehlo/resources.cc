// dense_resource<name> : type, a literal whose bytes stand in the file's resources, after the program. When the whole
// file is read it becomes the literal dense<"0x..."> : type, so nothing but this file knows of resources.
//
//   {-# dialect_resources: {builtin: {name: "0x040000000000803F"}} #-}
//
// A resource is bytes in hexadecimal, of which the first four are its alignment, least significant first.
#include <utility>

#include "weft/base/error.h"
#include "weft/stablehlo/elements.h"
#include "weft/stablehlo/parser.h"

namespace weft::stablehlo {

namespace {

// "0x" and the alignment.
constexpr std::size_t kHeader = 2 + 8;

// Why the text of a resource has no data, or "".
std::string defect(std::string_view blob) {
  if (!blob.starts_with("0x") || blob.size() < kHeader || blob.size() % 2 != 0)
    return "its data must be \"0x...\", four bytes of alignment and the elements; got \"" +
           (blob.size() > 40 ? std::string(blob.substr(0, 37)) + "..." : std::string(blob)) + "\", " +
           count_str(static_cast<std::int64_t>(blob.size()), "character", "characters");
  std::uint32_t alignment = 0;
  for (int i = 3; i >= 0; --i) {
    const std::string digits(blob.substr(2 + 2 * static_cast<std::size_t>(i), 2));
    const std::optional<std::int64_t> byte = integer_of("0x" + digits);
    if (!byte) return "its bytes must be hexadecimal digits; got " + digits;
    alignment = alignment << 8 | static_cast<std::uint32_t>(*byte);
  }
  if ((alignment & (alignment - 1)) != 0)
    return "its alignment must be a power of two; got " + std::to_string(alignment);
  return {};
}

// How many bytes the elements of a type have, booleans one each; nullopt of a type whose elements have no size.
std::optional<std::int64_t> size_of(const Type& type) {
  const std::optional<DType> t = element_dtype(type.element);
  if (!t || !type.is_static()) return std::nullopt;
  try {
    return Aval(*t, type.shape).bytes();
  } catch (const ShapeError&) {
    return std::nullopt;  // more than there can be
  }
}

}  // namespace

Attribute Parser::resource_attribute() {
  in_.expect_word("dense_resource");
  in_.expect("<");
  std::string name = in_.peek() == '"' ? in_.quoted() : std::string(in_.word("the name of a resource"));
  in_.expect(">");
  in_.expect(":");
  const std::size_t at = in_.offset();
  TypeRef t = type();
  if (t->kind != Type::Kind::kTensor) in_.fail_at(at, "a tensor type");
  Attribute a = Attribute::dense(std::move(name), std::move(t));
  a.flag = true;  // the text is a name, until give_resources
  uses_resources_ = true;
  return a;
}

void Parser::file_resources() {
  const auto key = [&] {
    std::string name = in_.peek() == '"' ? in_.quoted() : std::string(in_.word("a name"));
    in_.expect(":");
    return name;
  };
  const auto entries = [&](auto&& entry) {
    in_.expect("{");
    if (in_.accept("}")) return;
    do entry();
    while (in_.accept(","));
    in_.expect("}");
  };
  in_.expect("{-#");
  if (in_.accept("#-}")) return;
  do {
    const bool of_dialects = key() == "dialect_resources";
    entries([&] {
      const bool builtin = key() == "builtin" && of_dialects;
      entries([&] {
        const std::size_t at = in_.offset();
        std::string name = key();
        if (in_.accept_word("true") || in_.accept_word("false")) return;
        const std::string_view blob = in_.raw_quoted();
        if (builtin && !resources_.emplace(std::move(name), Resource{blob}).second)
          in_.fail_at(at, "a name that no resource has yet");
      });
    });
  } while (in_.accept(","));
  in_.expect("#-}");
}

void Parser::give_resources(Op& op) {
  for (NamedAttribute& a : op.attributes) give_resources(a.value);
  for (Region& r : op.regions)
    for (Block& b : r.blocks)
      for (Op& inner : b.ops) give_resources(inner);
}

void Parser::give_resources(Attribute& a) {
  for (NamedAttribute& item : a.items) give_resources(item.value);
  if (a.kind != Attribute::Kind::kDense || !a.flag) return;
  const std::string name = std::exchange(a.text, {});
  a.flag = false;
  const auto refuse = [&](const std::string& why, bool invalid = true) {
    refusals_.push_back({a.place, "dense_resource<" + name + ">: " + why, invalid});
  };
  const auto it = resources_.find(name);
  if (it == resources_.end()) {
    // Printers leave resources out when they are asked to: the program may be right, but it is not whole.
    refusals_.push_back({a.place, "dense_resource: the data of a constant must be in the text; got the name " + name});
    return;
  }
  const std::string_view blob = it->second.blob;
  if (const std::string why = defect(blob); !why.empty()) return refuse(why);
  const std::string_view bytes = blob.substr(kHeader);
  const auto given = static_cast<std::int64_t>(bytes.size() / 2);
  const std::optional<std::int64_t> size = size_of(*a.type);
  if (!size)
    return refuse("there must be a tensor type of known size; got " + a.type->text,
                  element_dtype(a.type->element).has_value());
  // Booleans may also be packed, eight to a byte.
  if (given != *size && !(a.type->element == "i1" && given == (*size + 7) / 8))
    return refuse("there must be " + count_str(*size, "byte", "bytes") + " for " + a.type->text + "; got " +
                  std::to_string(given));
  // The first use costs no more than the text; every further one is a copy.
  if (std::exchange(it->second.used, true)) expanded_ += bytes.size();
  if (expanded_ > kMaxExpanded)
    in_.refuse(a.place,
               "dense_resource<" + name + ">: literals that share a resource may be at most 256 MiB together.");
  a.text.reserve(bytes.size() + 4);
  a.text += "\"0x";
  a.text += bytes;
  a.text += '"';
}

}  // namespace weft::stablehlo
