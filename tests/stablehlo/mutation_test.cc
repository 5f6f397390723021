// Text that is nearly a program: the short form of fuzzing. The seeds are the fuzz target's corpus and what it has
// found before; what must hold of them is fuzz/stablehlo_property.h.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "fuzz/stablehlo_property.h"
#include "stablehlo/programs.h"
#include "weft/base/error.h"
#include "weft/stablehlo/formats.h"
#include "weft/stablehlo/import.h"
#include "weft/stablehlo/syntax.h"

namespace weft::stablehlo {
namespace {

struct Seed {
  std::string name, text;
};

std::vector<Seed> seeds_of(const std::string& folder) {
  std::vector<Seed> seeds;
  for (const auto& entry : std::filesystem::directory_iterator(WEFT_TEST_FOLDER "/fuzz/" + folder)) {
    std::ifstream in(entry.path(), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    seeds.push_back({entry.path().filename().string(), std::move(text).str()});
  }
  std::ranges::sort(seeds, {}, &Seed::name);
  return seeds;
}

std::vector<Seed> all_seeds() {
  std::vector<Seed> seeds = seeds_of("corpus");
  for (const std::string_view text : testing::kPrograms) seeds.push_back({"programs.h", std::string(text)});
  return seeds;
}

// Returns whether it was a program.
bool survives(const std::string& text) {
  const testing::Verdict verdict = testing::judge(text);
  EXPECT_EQ(verdict.fault, "") << text;
  return verdict.program;
}

TEST(corpus, every_seed_is_a_program) {
  const std::vector<Seed> seeds = seeds_of("corpus");
  EXPECT_GT(seeds.size(), 10u);
  for (const Seed& s : seeds) {
    SCOPED_TRACE(s.name);
    EXPECT_NO_THROW(parse_all(s.text, s.name));
    EXPECT_TRUE(survives(s.text));
  }
}

TEST(corpus, every_operation_with_a_form_of_its_own_is_in_a_seed) {
  std::string all;
  for (const Seed& s : seeds_of("corpus")) all += s.text;
  const auto expect = [&](std::string_view op) {
    // "func.return" is written "return".
    const std::string_view name = op.starts_with("func.") ? op.substr(5) : op;
    EXPECT_NE(all.find(name), std::string::npos) << op;
  };
  for (const Format& f : all_formats()) expect(f.op);
  for (const std::string_view op : generic_only()) expect(op);
}

TEST(corpus, what_was_found_once_stays_mended) {
  for (const Seed& s : seeds_of("regressions")) {
    SCOPED_TRACE(s.name);
    survives(s.text);
  }
}

TEST(mutation, texts_that_are_nearly_programs_are_refused_or_come_back) {
  // Other mutations for every --gtest_random_seed.
  std::mt19937 random(20240711u + static_cast<unsigned>(GTEST_FLAG_GET(random_seed)));
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  constexpr std::string_view pieces[] = {"tensor<", ">", "{",    "}",    "(",      ")",
                                         "[",       "]", "%0",   "#",    "!",      "-1",
                                         "0x",      ",", "\"",   ":",    "dense<", "9223372036854775807",
                                         "?",       "x", "loc(", "^bb0", "@f",     "="};
  const std::vector<Seed> seeds = all_seeds();
  int programs = 0, refused = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string text = seeds[below(seeds.size())].text;
    for (std::size_t edits = 1 + below(3); edits-- > 0;) {
      const std::size_t at = below(text.size());
      switch (below(6)) {
        case 0: text.erase(at, 1 + below(8)); break;
        case 1: text.insert(at, pieces[below(std::size(pieces))]); break;
        case 2: text[at] = static_cast<char>(below(256)); break;
        case 3: text.insert(at, text.substr(below(text.size()), below(40))); break;
        case 4: {
          // A line less, or again elsewhere.
          const std::size_t begin = text.find('\n', at), end = text.find('\n', begin + 1);
          if (begin == std::string::npos || end == std::string::npos) break;
          const std::string line = text.substr(begin, end - begin);
          if (below(2) == 0)
            text.erase(begin, line.size());
          else if (const std::size_t to = text.find('\n', below(text.size())); to != std::string::npos)
            text.insert(to, line);
          break;
        }
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
  EXPECT_GT(programs, 200);
  EXPECT_GT(refused, 1000);
}

TEST(mutation, every_prefix_of_a_program_is_refused_or_comes_back) {
  for (const Seed& s : all_seeds())
    for (std::size_t n = 0; n < s.text.size(); n += 23) survives(s.text.substr(0, n));
}

}  // namespace
}  // namespace weft::stablehlo
