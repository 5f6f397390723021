// Text with holes: how it is read, what it refuses, how it is filled.
#include "weft/core/format.h"

#include <gtest/gtest.h>

#include "harness/errors.h"
#include "weft/weft.h"

namespace weft {
namespace {

template <class... A>
std::string filled(std::string_view text, const A&... args) {
  const FormatArgs all = FormatArgs::of(args...);
  return render(parse_format("print", text, all), all.leaves);
}
template <class... A>
std::string refusal(std::string_view text, const A&... args) {
  return testing::message_of<ValueError>([&] { parse_format("print", text, FormatArgs::of(args...)); });
}

enum class Color { kRed, kGreen };

TEST(format, holes_take_arguments_in_order_or_by_number) {
  const Array x = np::array({1.0f, 2.0f}), n = Array(3);
  EXPECT_EQ(filled("x = {}, n = {}", x, n), "x = [1. 2.], n = 3");
  EXPECT_EQ(filled("{1}{0}{1}", x, n), "3[1. 2.]3");
  EXPECT_EQ(filled("nothing"), "nothing");
  EXPECT_EQ(filled("{{}} {{{}}}", n), "{} {3}");
  EXPECT_EQ(filled(""), "");
}

TEST(format, numbers_strings_and_enums_are_arguments_too) {
  EXPECT_EQ(filled("{} {} {} {} {}", 2, 0.5, true, "name", std::string("a{}b")), "2 0.5 True name a{}b");
  EXPECT_EQ(filled("{}", Color::kGreen), "1");
  EXPECT_EQ(filled("[{}]", ""), "[]");
}

TEST(format, trees_are_written_leaf_by_leaf) {
  struct Params {
    Array w, b;
    int layers = 2;
  };
  EXPECT_EQ(filled("p = {};", Params{np::array({1, 2}), Array(0.5f)}), "p = {.w: [1 2], .b: 0.5};");
  EXPECT_EQ(filled("{}", std::vector<Array>{Array(1), Array(2)}), "{[0]: 1, [1]: 2}");
  EXPECT_EQ(filled("{} {}", Array(), std::tuple<>()), "none {}");
}

TEST(format, a_specification_writes_one_number_as_printf_does) {
  EXPECT_EQ(filled("{:.3f} {:.2e} {:.4g}", 3.14159, Array(1234.5f), Array(7)), "3.142 1.23e+03 7");
  EXPECT_EQ(filled("{1:.1f} {0:.0f}", 2.5, 0.25), "0.2 2");
  EXPECT_EQ(filled("{:.99f}", 1e308).size(), 309u + 100u);
  EXPECT_EQ(filled("{:.3f}", std::numeric_limits<double>::quiet_NaN()), "nan");
}

TEST(format, texts_that_do_not_fit_are_refused) {
  const Array x = np::ones({2});
  EXPECT_EQ(refusal("{} {}", 1),
            "print: there must be an argument for each place; got 1 argument and a place for number 1 in \"{} {}\".");
  EXPECT_EQ(refusal("{}", 1, 2),
            "print: there must be a place for each argument; got 2 arguments and none for number 1 in \"{}\".");
  EXPECT_EQ(refusal("{1}", 1, 2),
            "print: there must be a place for each argument; got 2 arguments and none for number 0 in \"{1}\".");
  EXPECT_EQ(refusal("{} {0}", 1), "print: arguments must be named all by {} or all by number; got both in \"{} {0}\".");
  EXPECT_EQ(refusal("a } b"), "print: a closing brace must follow an opening one; got } alone in \"a } b\".");
  EXPECT_EQ(refusal("a {0", 1), "print: an opening brace must be closed; got { alone in \"a {0\".");
  EXPECT_EQ(refusal("{x}", 1), "print: an argument must be named by {} or its number; got {x} in \"{x}\".");
  EXPECT_EQ(refusal("{99999999999999999999}", 1),
            "print: an argument must be named by {} or its number; got {99999999999999999999} in "
            "\"{99999999999999999999}\".");
  EXPECT_EQ(refusal("{:d}", 1), "print: a specification must be like .3f, .3e or .3g; got d in \"{:d}\".");
  EXPECT_EQ(refusal("{:.999f}", 1), "print: a specification must be like .3f, .3e or .3g; got .999f in \"{:.999f}\".");
  EXPECT_EQ(refusal("{:.3f}", x),
            "print: a specification must be for a real 0-d array; got .3f for f32[2] in \"{:.3f}\".");
  EXPECT_EQ(refusal("{:.3f}", "text"), "print: a specification must be for a number; got .3f for text in \"{:.3f}\".");
}

}  // namespace
}  // namespace weft
