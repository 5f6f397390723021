// The table of attributes that operations have (import_supported.cc) against what readers ask for.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "harness/files.h"
#include "harness/functions.h"
#include "samples/checks.h"
#include "stablehlo/programs.h"
#include "weft/base/error.h"
#include "weft/stablehlo/export.h"
#include "weft/stablehlo/importer.h"

namespace weft::stablehlo {
namespace {

// Reads every function of a program that there is.
void read_all(const Module& m) {
  for (const Op& op : m.ops()) {
    if (op.name != "func.func") continue;
    try {
      import(m, {.function = op.symbol(), .unregistered_custom_calls = true});
    } catch (const Error&) {
      // Checks and the like are no programs to import; others read what these do not.
    }
  }
}

TEST(attributes, that_are_read_are_those_of_the_table) {
  AskedAttributes asked;
  for (const auto& entry : std::filesystem::directory_iterator(WEFT_TEST_FOLDER "/fuzz/corpus"))
    for (const Module& m : parse_all(weft::testing::read_file(entry.path()), "corpus")) read_all(m);
  for (const std::string_view text : testing::kPrograms) read_all(parse(text));
  for (const weft::testing::Sample& sample : weft::testing::all_samples()) {
    ir::Avals inputs = avals_of(weft::testing::make_operands(sample));
    const Staged staged = stage(weft::testing::operation(sample), inputs, "sample");
    read_all(to_module(staged.jaxpr, staged.captured));
  }
  EXPECT_GT(asked.by_operation.size(), 40u);
  for (const auto& [op, names] : asked.by_operation) {
    const std::optional<KnownAttributes> known = known_attributes(op);
    if (!known) {
      ADD_FAILURE() << op << " has no row, but attributes are read";
      continue;
    }
    for (const std::string& name : names)
      EXPECT_NE(std::ranges::find(known->read, name), known->read.end()) << op << ": " << name << " is read";
    for (const std::string_view name : known->read)
      EXPECT_TRUE(names.contains(std::string(name))) << op << ": nobody reads " << name;
  }
}

}  // namespace
}  // namespace weft::stablehlo
