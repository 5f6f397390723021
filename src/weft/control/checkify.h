// Programs whose failures are values: a program that also gives what first went wrong in it, as integers and arrays
// that pass through jit, loops, branches and other transformations like any other.
#pragma once

#include "weft/core/stage.h"
#include "weft/ir/callback.h"

namespace weft::control {

/// One place of a program where something may go wrong. Its number is its position in the list, from 1.
struct CheckSite {
  CheckKind kind;
  ir::FormatText message;
  Dims examples;  // sizes of vmap's axes around it; then the first value is the number of the example
  SourceLocation location;
  /// Which of the error's values it shows.
  std::vector<std::size_t> slots;
};

/// The sites of a program, equal when they say the same.
class CheckSites {
 public:
  CheckSites() = default;
  explicit CheckSites(std::vector<CheckSite> sites);
  std::size_t size() const { return table_ ? table_->sites.size() : 0; }
  const CheckSite& operator[](std::size_t i) const { return table_->sites[i]; }
  const std::string& text() const;
  friend bool operator==(const CheckSites& a, const CheckSites& b) { return a.text() == b.text(); }

 private:
  struct Table {
    std::vector<CheckSite> sites;
    std::string text;
  };
  std::shared_ptr<const Table> table_;
};

struct Checkified {
  /// Inputs are those of the program. Outputs: the number of the first site that failed, i32[] and 0 for none; values
  /// that its message shows; the program's outputs.
  Staged program;
  std::size_t num_values = 0;
  CheckSites sites;
};

/// The program with checks of the kinds in `kinds` (a bit for each CheckKind) as values and without its other checks.
/// Wherever it goes, the first failure in the order of the program stays. Loops go on after one, as everything does.
/// ValueError where a check is inside of an operation that has no place for it.
Checkified checkify(const ir::Jaxpr& jaxpr, unsigned kinds);

/// Throws the error of site `i` with these values, all of the error's: IndexError for kIndex, else ValueError, at its
/// line. Of errors of several examples, with axes of sizes `examples`, this is number `at` in row-major order.
[[noreturn]] void throw_site(const CheckSite& site, std::span<const Array> values, DimSpan examples, std::int64_t at);

}  // namespace weft::control
