// MLIR text as data: a small syntax tree of operations, regions, attributes and types. It knows MLIR's form, not what
// an operation means; nothing of Weft's programs is known here.
//
// Invariants: values are numbered in the order of their definitions in the text and are defined before they are used;
// pretty forms have become the generic one, so every attribute has its name and every operand its type; aliases are
// replaced by what they stand for, and so are literals whose bytes stand in the file's resources; operations of MHLO,
// from which StableHLO and CHLO came, have these dialects' names. parse(print(tree)) == tree, in both forms.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weft/base/dims.h"
#include "weft/base/text.h"
#include "weft/stablehlo/form.h"

namespace weft::stablehlo {

/// A size that only the run knows, "?" in text.
inline constexpr std::int64_t kDynamic = -1;

struct Type;
/// Types are shared and never change.
using TypeRef = std::shared_ptr<const Type>;

struct Type {
  enum class Kind : std::uint8_t {
    kTensor,    ///< tensor<2x?xf32, encoding>
    kTuple,     ///< tuple<...>: `parts`
    kFuture,    ///< !stablehlo.future<...>: `parts`, what an async_start will have computed
    kFunction,  ///< (inputs) -> results: `parts`, of which the first `num_inputs` are inputs
    kToken,     ///< !stablehlo.token
    kOther,     ///< anything else: f32, i64, index, none, !quant.uniform<...>
  };
  Kind kind = Kind::kOther;
  bool ranked = true;
  Dims shape;
  /// The element type's text: "f32", "complex<f32>", "!quant.uniform<i8:f32, 0.1:-30>".
  std::string element;
  /// The encoding's text, or empty.
  std::string encoding;
  std::vector<TypeRef> parts;
  std::size_t num_inputs = 0;
  /// The whole type, in one spelling: types are equal when their texts are.
  std::string text;

  bool is_static() const {
    if (kind != Kind::kTensor || !ranked) return false;
    for (const std::int64_t d : shape)
      if (d < 0) return false;
    return true;
  }
};
TypeRef tensor_type(std::string element, DimSpan shape, std::string encoding = {}, bool ranked = true);
TypeRef tuple_type(std::vector<TypeRef> parts);
TypeRef future_type(std::vector<TypeRef> parts);
TypeRef function_type(std::vector<TypeRef> inputs, const std::vector<TypeRef>& results);
TypeRef token_type();
TypeRef other_type(std::string text);
inline bool same_type(const TypeRef& a, const TypeRef& b) {
  return a == b || (a && b && a->kind == b->kind && a->text == b->text);
}

struct NamedAttribute;

struct Attribute {
  enum class Kind : std::uint8_t {
    kUnit,
    kBool,
    kNumber,      ///< `text` is the number as it was spelled, `type` its type, or null
    kString,      ///< `text` are the characters
    kSymbol,      ///< `text` is the name, without '@'
    kArray,       ///< `items` without names
    kDictionary,  ///< `items`
    kIntegers,    ///< array<i64: 1, 2>: `integers`, `text` is the element type ("i1" for booleans)
    kDense,       ///< dense<...>: `text` is what stands between the angles, `type` the tensor type
    kType,        ///< `type`
    kOther,       ///< anything else, as it was spelled: #stablehlo.gather<...>, affine_map<...>, array<f32: 1.0>
  };
  Kind kind = Kind::kUnit;
  bool flag = false;
  std::string text;
  TypeRef type;
  std::vector<NamedAttribute> items;
  std::vector<std::int64_t> integers;
  /// Where it stood.
  TextPosition place;

  /// true or false.
  static Attribute boolean(bool v);
  /// "v : type"; the type is an integer's.
  static Attribute integer(std::int64_t v, std::string_view type = "i64");
  /// "v" in quotes, with its escapes when it is written.
  static Attribute string(std::string v);
  /// @name; nested names are joined by "::@".
  static Attribute symbol(std::string name);
  /// array<element: v...>, a list of integers, of booleans when the element is "i1".
  static Attribute dims(DimSpan v, std::string element = "i64");
  /// What this tree has no kind for, as MLIR spells it: "#stablehlo.gather<...>".
  static Attribute other(std::string text);
  /// dense<text> : type, a literal whose elements stay text.
  static Attribute dense(std::string text, TypeRef type);
  /// A type as an attribute.
  static Attribute of_type(TypeRef type);
  /// [items...].
  static Attribute array(std::vector<Attribute> items);
  /// {name = value, ...}; names are distinct.
  static Attribute dictionary(std::vector<NamedAttribute> items);
};

struct NamedAttribute {
  std::string name;
  Attribute value;
};

/// Places do not count; the order of a dictionary does not either.
bool operator==(const Attribute& a, const Attribute& b);

/// The number of a value in Module::values.
using ValueId = std::uint32_t;

struct Value {
  /// Without '%': "arg0", "0". Results of one operation may share a name, told apart by `index` ("%0#1").
  std::string name;
  std::uint32_t index = 0;
  TypeRef type;
};

struct Op;

struct Block {
  std::vector<ValueId> arguments;
  std::vector<Op> ops;
};

/// At most one block: structured control flow only. No block stands for "{}".
struct Region {
  std::vector<Block> blocks;
  const Block& body() const { return blocks.front(); }
};

struct Op {
  /// With its dialect: "stablehlo.add", "func.func", "builtin.module".
  std::string name;
  std::vector<ValueId> operands;
  std::vector<ValueId> results;
  std::vector<NamedAttribute> attributes;
  /// How many of them, the first, stood in "<{...}>", where only attributes that the operation has may stand. The rest
  /// may be anybody's.
  std::size_t num_inherent = 0;
  std::vector<Region> regions;
  TextPosition place;

  /// Null when there is no such attribute.
  const Attribute* find(std::string_view attribute) const;
  /// The symbol it defines (sym_name), or "".
  std::string_view symbol() const;
};

/// A text's tree: one top operation, `builtin.module`, and all values below it.
struct Module {
  Op top;
  std::vector<Value> values;
  /// What errors put before line and column; may be empty.
  std::string source;

  const TypeRef& type(ValueId v) const { return values[v].type; }
  /// The operations of the module.
  const std::vector<Op>& ops() const { return top.regions.front().blocks.front().ops; }
};

/// Structural: same operations, attributes, types and use of values; names of values, places and in which of its
/// dictionaries an attribute stood do not count.
bool operator==(const Module& a, const Module& b);

/// Throws ParseError "<source>:line:column: <message>".
[[noreturn]] void fail_at(const Module& module, TextPosition place, const std::string& message,
                          const std::string& hint = {});
/// "prog.mlir:3:7", or "3:7" without a source.
std::string place_text(const Module& module, TextPosition place);

/// Reads a program: a module, or operations that stand alone, which get an unnamed module around them. Accepts the
/// generic form of any operation and the pretty form of those of the builtin, func, stablehlo, chlo, mhlo, check and
/// interpreter dialects. `source` is the file's name for errors. Throws ParseError "line:column: expected X; got Y."
Module parse(std::string_view text, std::string_view source = {});
/// The programs of a text in which lines "// -----" separate them; places count from the start of the text.
std::vector<Module> parse_all(std::string_view text, std::string_view source = {});

std::string print(const Module& module, Form form);
inline std::string print_generic(const Module& module) { return print(module, Form::kGeneric); }

/// An attribute as MLIR spells it; with `type` false the type of a number is left out.
std::string attribute_text(const Attribute& a);
/// A dictionary, "{n = 2 : i64}".
std::string dictionary_text(const std::vector<NamedAttribute>& items);
/// Reads what attribute_text writes. Throws ParseError.
Attribute parse_attribute(std::string_view text);

}  // namespace weft::stablehlo
