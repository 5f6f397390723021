// The printer of trees. Private to stablehlo/: users call print (syntax.h).
//
// print.cc writes the generic form and attributes, pretty_print.cc the short forms of formats.h; an operation that its
// short form cannot express (an attribute of another kind, types that do not follow the rule) gets the generic one,
// which always fits.
#pragma once

#include <span>

#include "weft/stablehlo/formats.h"
#include "weft/stablehlo/syntax.h"

namespace weft::stablehlo {

/// In double quotes, with escapes.
void append_quoted(std::string& out, std::string_view s);
/// "@name", with quotes where the name needs them.
void append_symbol(std::string& out, std::string_view name);
void append_attribute(std::string& out, const Attribute& a);
void append_dictionary(std::string& out, std::span<const NamedAttribute> items);
/// Whether MLIR lexes the text as one bare identifier.
bool is_identifier(std::string_view s);

class Printer {
 public:
  Printer(const Module& m, Form form) : m_(m), form_(form) {}
  std::string run();

 private:
  const TypeRef& type(ValueId v) const { return m_.values[v].type; }

  void line() {
    out_ += '\n';
    out_.append(static_cast<std::size_t>(indent_), ' ');
  }

  void value(ValueId v);

  void values(std::span<const ValueId> vs) {
    for (std::size_t i = 0; i < vs.size(); ++i) {
      if (i) out_ += ", ";
      value(vs[i]);
    }
  }

  template <class Range>
  void types(const Range& vs) {
    for (std::size_t i = 0; i < vs.size(); ++i) {
      if (i) out_ += ", ";
      out_ += type(vs[i])->text;
    }
  }

  void function_types(const Op& op);

  void operation(const Op& op);

  void region(const Region& r, bool named_arguments);

  void generic(const Op& op);
  /// " ({...}, {...})", or nothing when there is no region.
  void regions_in_parens(const Op& op);

  // ---- pretty forms (pretty_print.cc): whether the operation fits its own ----
  bool pretty(const Op& op);
  void other_attributes(const Op& op, std::span<const std::string_view> written, std::string_view before);
  bool module(const Op& op);
  bool function(const Op& op);
  bool while_op(const Op& op);
  // The operation that a two-argument body applies to its arguments in order, or "".
  std::string_view applied(const Op& op) const;
  bool reduce(const Op& op);
  template <class Range>
  void dims(const Range& values) {
    out_ += '[' + join(values, ", ") + ']';
  }
  // Whether a blank stands before a token.
  void space(std::string_view token);
  bool formatted(const Op& op, const Format& format);
  bool attribute_form(const Attribute& a, std::string_view kind);
  bool directive(const Op& op, std::string_view name, std::span<const std::string_view> written, std::size_t& next);
  bool slice(const Op& op);
  bool dot(const Op& op);
  bool convolution(const Op& op);
  bool format_types(const Op& op, std::string_view rule);

  // ---- pretty forms that hold regions, beside those of loops and reductions (print_regions.cc) ----
  bool scan(const Op& op);
  bool named_computation(const Op& op);

  const Module& m_;
  Form form_;
  std::string out_;
  int indent_ = 0;
};

}  // namespace weft::stablehlo
