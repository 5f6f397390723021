// What a model knows: collections of arrays by path. A module keeps nothing itself; these go in and come out.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "weft/core/array.h"

namespace weft::nn {

/// Arrays by the path of the module that they belong to and their own name: "Dense_0/kernel".
using Collection = std::map<std::string, Array>;
/// Collections by name: "params", "batch_stats", "cache", "intermediates", "perturbations", or any other. A tree, which
/// may be an argument of jit, grad, vmap and so on.
using Variables = std::map<std::string, Collection>;

/// How `apply` takes variables: the caller's, with the line of the call. Valid only as a parameter: it refers to them.
class VariablesArg {
 public:
  VariablesArg(const Variables& v, SourceLocation loc = std::source_location::current()) : given_(&v), loc_(loc) {}
  VariablesArg(std::initializer_list<Variables::value_type> v, SourceLocation loc = std::source_location::current())
      : own_(v), given_(&*own_), loc_(loc) {}
  VariablesArg(const VariablesArg&) = delete;
  VariablesArg& operator=(const VariablesArg&) = delete;
  const Variables& variables() const { return *given_; }
  const SourceLocation& location() const { return loc_; }

 private:
  std::optional<Variables> own_;
  const Variables* given_;
  SourceLocation loc_;
};

/// The keys of random streams by name: "params", "dropout", or any other. One key alone is that of "params".
struct Rngs : std::map<std::string, Array> {
  /// Whether names are kept apart where a path is hashed into a key. They are not, so that {"ab", "c"} and {"a", "bc"}
  /// have the same keys, unless one asks for it: what Flax does with its flag flax_fix_rng_separator.
  bool separate_names = false;
  SourceLocation location = SourceLocation();  // where they were given

  Rngs() = default;
  Rngs(const Array& params, SourceLocation loc = std::source_location::current())  // implicit by design
      : map({{"params", params}}), location(loc) {}
  Rngs(std::initializer_list<value_type> streams, SourceLocation loc = std::source_location::current())
      : map(streams), location(loc) {}
  /// The same keys, with names kept apart.
  static Rngs separated(Rngs rngs) {
    rngs.separate_names = true;
    return rngs;
  }
};

/// Which collections: all, none, those that are named, or all but those.
class Filter {
 public:
  Filter(bool all) : accepts_([all](const std::string&) { return all; }) {}  // implicit by design, as the others
  Filter(const char* name) : Filter(std::string(name)) {}
  Filter(std::string name) : Filter(std::set<std::string>{std::move(name)}) {}
  Filter(std::initializer_list<std::string> names) : Filter(std::set<std::string>(names)) {}
  explicit Filter(std::set<std::string> names)
      : accepts_([names = std::move(names)](const std::string& c) { return names.contains(c); }) {}
  /// All but those.
  static Filter deny(std::initializer_list<std::string> names) { return !Filter(names); }
  bool operator()(const std::string& collection) const { return accepts_(collection); }
  /// What both accept, what one of them does, and what it does not.
  friend Filter operator&(const Filter& a, const Filter& b);
  friend Filter operator|(const Filter& a, const Filter& b);
  friend Filter operator!(const Filter& a);

 private:
  std::function<bool(const std::string&)> accepts_;
};

/// What was sown under "<path of the module>/<name>", in its order: a list, one value, or nothing.
Arrays sown_values(const Variables& variables, const std::string& collection, const std::string& path);

/// What a module at this path sees: the part of each collection below it, with shorter paths; all for the path "".
Collection below(const Collection& all, const std::string& path);
Variables below(const Variables& all, const std::string& path);
/// The other way round: the same arrays, their paths below this one.
Collection at_path(const Collection& some, const std::string& path);
Variables at_path(const Variables& some, const std::string& path);

/// The elements of all arrays, and their bytes.
std::int64_t num_elements(const Collection& c);
std::int64_t num_bytes(const Collection& c);

}  // namespace weft::nn
