// Text with holes for values, like "x = {}, y = {1:.3f}": parsed when a program is traced, filled when it runs.
//
// {} takes the arguments in order and {2} one by its number; a text uses one of the two forms. {{ and }} are braces.
// Arrays are written as NumPy prints them; after a colon, .3f, .3e or .3g (with any number of digits) write one number
// as printf does. A tree is written leaf by leaf, {.w: [1. 2.], .b: 0.5}.
#pragma once

#include "weft/core/tree.h"
#include "weft/ir/callback.h"

namespace weft {

/// One argument of a text: what is known when the program is traced is written then.
struct FormatArg {
  std::optional<std::string> known = {};  // the text of a string, an enum, ...; else
  std::vector<std::string> paths = {};    // one for each array of a tree, "" for a tree that is one array
};

/// The arguments of a text, and their arrays.
struct FormatArgs {
  std::vector<FormatArg> args;
  Arrays leaves;

  template <class... A>
  static FormatArgs of(const A&... a) {
    FormatArgs r;
    (r.add(a), ...);
    return r;
  }

 private:
  template <class A>
  void add(const A& a) {
    if constexpr (std::is_convertible_v<const A&, std::string_view>) {
      args.push_back({.known = std::string(std::string_view(a))});
    } else if constexpr (is_element_v<A>) {
      args.push_back({.paths = {std::string()}});
      leaves.push_back(Array(a));
    } else if constexpr (tree::detail::is_static<A>) {
      args.push_back({.known = tree::detail::value_text(a)});
    } else {
      add_tree(tree::structure(a).paths(), tree::leaves(a), std::is_same_v<A, Array>);
    }
  }
  void add_tree(const std::vector<std::string>& paths, const Arrays& arrays, bool is_array);
};

/// The text with its holes numbered by leaf. ValueError naming `op` when it is not well formed, does not use every
/// argument, or asks for one that is not there; when a specification is none, or is for what is no real scalar.
ir::FormatText parse_format(std::string_view op, std::string_view text, const FormatArgs& args);

/// The text with its holes filled.
std::string render(const ir::FormatText& text, std::span<const Array> values);

}  // namespace weft
