// The parser of MLIR text. Private to stablehlo/: users call parse (syntax.h).
//
// parse_attribute.cc reads types and attributes, resources.cc the literals that stand at a file's end, parse_op.cc
// operations and regions, parse_shardy.cc those of Shardy, pretty_parse.cc the pretty forms of formats.h. Recursion is
// bounded by kMaxNesting; work is linear in the text.
#pragma once

#include <unordered_map>

#include "weft/stablehlo/formats.h"
#include "weft/stablehlo/lexer.h"
#include "weft/stablehlo/refusal.h"

namespace weft::stablehlo {

class Parser {
 public:
  Parser(std::string_view text, std::size_t begin, std::size_t end, std::string_view source, LineStarts lines);

  /// The whole text as one module. What can be stepped over is added to `refusals` (refusal.h).
  Module module(Refusals& refusals);
  /// One attribute that fills the whole text.
  Attribute only_attribute();

 private:
  // ---- types and attributes (parse_attribute.cc) ----
  TypeRef type();
  TypeRef tensor();
  TypeRef dialect_type();
  /// "(t, t)" or "()".
  std::vector<TypeRef> type_parens();
  /// "t" or "(t, t)".
  std::vector<TypeRef> result_types();
  /// "t, t".
  std::vector<TypeRef> type_list();
  Attribute attribute();
  Attribute number_attribute(bool typed);
  Attribute hash_attribute();
  std::string without_aliases(std::string text);
  Attribute dense_attribute();
  Attribute integers_attribute();
  void dictionary(std::string_view close, std::vector<NamedAttribute>& into);
  void add_attribute(std::vector<NamedAttribute>& into, NamedAttribute a);
  Dims dim_list();
  void skip_location();
  void alias();

  // ---- literals whose bytes stand elsewhere in the file (resources.cc) ----
  Attribute resource_attribute();
  /// "{-# dialect_resources: {builtin: {name: "0x..."}} #-}"
  void file_resources();
  /// Puts the bytes in the place of the names.
  void give_resources(Op& op);
  void give_resources(Attribute& a);

  // ---- operations (parse_op.cc) ----
  struct Results {
    struct Group {
      std::string_view name;
      std::uint32_t count;
      std::size_t offset;
    };
    std::vector<Group> groups;
    std::size_t count = 0;
  };
  void operation(std::vector<Op>& into);
  void generic_operation(Op& op);
  void generic_rest(Op& op);
  void pretty_operation(Op& op, std::size_t num_results);
  void unknown_operation(Op& op, std::size_t num_results);
  void define_results(Op& op, const Results& names, const std::vector<TypeRef>& types);
  ValueId define(std::string_view name, std::uint32_t index, std::uint32_t count, TypeRef type, std::size_t offset);
  ValueId use();
  /// Uses, comma separated, until no '%' comes.
  void uses(std::vector<ValueId>& into);
  void check_operand_types(const Op& op, const std::vector<TypeRef>& types);
  Region region(std::span<const std::pair<std::string_view, TypeRef>> arguments = {}, bool isolated = false);
  void block_arguments(Block& block);
  void block_label(Block& block);
  void function(Op& op);
  void nested_module(Op& op);
  /// A module has one block, which takes no arguments.
  void module_block(Op& op) const;
  void while_op(Op& op);
  void reduce_op(Op& op);
  /// Throws Unsupported, for what is MLIR but not read.
  [[noreturn]] void unsupported(TextPosition place, const std::string& message) const;

  // ---- more pretty forms that hold regions (parse_regions.cc) ----
  void scan_op(Op& op);
  /// "({...}, {...})", if that comes next.
  void regions_in_parens(Op& op);

  // ---- operations of Shardy (parse_shardy.cc) ----
  /// Reads what follows the name, if it is one of those.
  bool shardy(Op& op);
  void sdy_mesh(Op& op);
  void sdy_computation(Op& op);

  // ---- pretty forms (pretty_parse.cc) ----
  void formatted(Op& op, const Format& format);
  void format_attribute(Op& op, std::string_view name, std::string_view kind);
  void custom_directive(Op& op, std::string_view directive);
  void format_types(Op& op, std::string_view rule);
  void slice_ranges(Op& op);
  void dot_dimensions(Op& op);
  void convolution_window(Op& op);
  Attribute precision_list();

  [[noreturn]] void type_count(const Op& op, std::size_t expected, std::size_t got) const;

  struct Depth {
    explicit Depth(Parser& p) : p(p) {
      if (++p.depth_ > kMaxNesting) p.in_.fail("at most " + std::to_string(kMaxNesting) + " levels of nesting");
    }
    ~Depth() { --p.depth_; }
    Parser& p;
  };

  Lexer in_;
  Refusals refusals_;
  int depth_ = 0;
  std::vector<Value> values_;
  struct Binding {
    ValueId first;
    std::uint32_t count;
  };
  std::unordered_map<std::string_view, Binding> scope_;
  std::vector<std::string_view> defined_;  // names in scope_, innermost last
  std::unordered_map<std::string_view, TypeRef> types_;
  static constexpr std::size_t kMaxExpanded = std::size_t{256} << 20, kMaxTypeText = std::size_t{1} << 20;
  struct AttributeAlias {
    Attribute attribute;
    std::size_t bytes = 0;
  };
  std::unordered_map<std::string, AttributeAlias> attribute_aliases_;
  std::size_t expanded_ = 0;  // bytes that uses of attribute aliases made
  std::unordered_map<std::string, TypeRef> type_aliases_;
  struct Resource {
    std::string_view blob;  // in the text
    bool used = false;
  };
  std::unordered_map<std::string, Resource> resources_;
  bool uses_resources_ = false;
  // What the operation being read has so far; its pretty form gives its result types here.
  std::vector<TypeRef> result_types_;
};

}  // namespace weft::stablehlo
