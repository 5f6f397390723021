// Text that is nearly a program: every mutation of the seeds is refused with a ParseError or comes back from its own
// text; nothing else may be thrown, and nothing may crash. The libFuzzer target (tests/fuzz) goes on from the same
// seeds.
#include <gtest/gtest.h>

#include <random>

#include "stablehlo/programs.h"
#include "weft/base/error.h"
#include "weft/stablehlo/import.h"
#include "weft/stablehlo/syntax.h"

namespace weft::stablehlo {
namespace {

// What a fuzzer does with a text; returns whether it was a program.
bool survives(const std::string& text) {
  try {
    const Module m = parse(text);
    for (const Form form : {Form::kPretty, Form::kGeneric}) EXPECT_TRUE(parse(print(m, form)) == m) << text;
    for (const Op& op : m.ops()) {
      if (op.name != "func.func") continue;
      try {
        import(m, {.function = op.symbol()});
      } catch (const ParseError&) {
        // Programs may ask for what does not fit.
      }
    }
    return true;
  } catch (const ParseError&) {
    return false;
  }
}

TEST(mutation, texts_that_are_nearly_programs_are_refused_or_come_back) {
  std::mt19937 random(20240711);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  constexpr std::string_view pieces[] = {"tensor<", ">", "{",    "}",    "(",      ")",
                                         "[",       "]", "%0",   "#",    "!",      "-1",
                                         "0x",      ",", "\"",   ":",    "dense<", "9223372036854775807",
                                         "?",       "x", "loc(", "^bb0", "@f",     "="};
  int programs = 0, refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text(testing::kPrograms[below(std::size(testing::kPrograms))]);
    for (std::size_t edits = 1 + below(3); edits-- > 0;) {
      const std::size_t at = below(text.size());
      switch (below(5)) {
        case 0: text.erase(at, 1 + below(8)); break;
        case 1: text.insert(at, pieces[below(std::size(pieces))]); break;
        case 2: text[at] = static_cast<char>(below(256)); break;
        case 3: text.insert(at, text.substr(below(text.size()), below(40))); break;
        default: {
          // A number by another one.
          const std::size_t digit = text.find_first_of("0123456789", at);
          if (digit != std::string::npos) text[digit] = static_cast<char>('0' + below(10));
        }
      }
      if (text.empty()) text = "x";
    }
    (survives(text) ? programs : refused)++;
  }
  // Both happen often, or the test would show nothing.
  EXPECT_GT(programs, 100);
  EXPECT_GT(refused, 1000);
}

TEST(mutation, every_prefix_of_a_program_is_refused_or_comes_back) {
  for (const std::string_view text : testing::kPrograms)
    for (std::size_t n = 0; n < text.size(); n += 7) survives(std::string(text.substr(0, n)));
}

}  // namespace
}  // namespace weft::stablehlo
