#include "weft/base/text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "weft/base/error.h"

namespace weft {
namespace {

std::string message_of(auto&& f) {
  try {
    f();
  } catch (const ParseError& e) {
    return e.message();
  }
  return "no error";
}

TEST(text, join_puts_separators_between_items) {
  EXPECT_EQ(join(std::vector<std::string>{}, ", "), "");
  EXPECT_EQ(join(std::vector<std::string>{"a"}, ", "), "a");
  EXPECT_EQ(join(std::vector<std::string_view>{"a", "b", ""}, ", "), "a, b, ");
  EXPECT_EQ(join(std::vector<std::int64_t>{1, -2}, ","), "1,-2");
  EXPECT_EQ(join(std::vector<double>{1, 0.5}, " "), "1.0 0.5");
  EXPECT_EQ(join(std::vector<bool>{true, false}, " "), "true false");
}

TEST(text, doubles_print_like_python) {
  EXPECT_EQ(number_str(1.0), "1.0");
  EXPECT_EQ(number_str(-0.0), "-0.0");
  EXPECT_EQ(number_str(0.1), "0.1");
  EXPECT_EQ(number_str(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(number_str(0.0001), "0.0001");
  EXPECT_EQ(number_str(0.00001), "1e-05");
  EXPECT_EQ(number_str(1.5e-7), "1.5e-07");
  EXPECT_EQ(number_str(1e15), "1000000000000000.0");
  EXPECT_EQ(number_str(9999999999999998.0), "9999999999999998.0");
  EXPECT_EQ(number_str(1e16), "1e+16");
  EXPECT_EQ(number_str(123456.75), "123456.75");
  EXPECT_EQ(number_str(-1.7976931348623157e308), "-1.7976931348623157e+308");
  EXPECT_EQ(number_str(5e-324), "5e-324");
  EXPECT_EQ(number_str(std::numeric_limits<double>::quiet_NaN()), "nan");
  EXPECT_EQ(number_str(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(number_str(-std::numeric_limits<double>::infinity()), "-inf");
}

TEST(text, smaller_floats_print_the_digits_of_their_own_type) {
  EXPECT_EQ(number_str(0.1f), "0.1");
  EXPECT_EQ(number_str(1.0f / 3), "0.33333334");
  EXPECT_EQ(number_str(1e-4f), "1e-04");  // the float is less than 0.0001
  EXPECT_EQ(number_str(123456789.0f), "123456790.0");
  EXPECT_EQ(number_str(1.1754944e-38f), "1.1754944e-38");
  EXPECT_EQ(number_str(float16(0.1f)), "0.1");
  EXPECT_EQ(number_str(float16(65504.0f)), "65500.0");
  EXPECT_EQ(number_str(float16::from_bits(1)), "6e-08");
  EXPECT_EQ(number_str(bfloat16(0.1f)), "0.1");
  EXPECT_EQ(number_str(bfloat16(3.1415927f)), "3.14");
  EXPECT_EQ(number_str(std::numeric_limits<bfloat16>::max()), "3.39e+38");
  EXPECT_EQ(number_str(std::numeric_limits<bfloat16>::infinity()), "inf");
}

TEST(text, commas_stand_between_groups_of_three_digits) {
  for (const auto& [number, text] :
       {std::pair("0", "0"), std::pair("999", "999"), std::pair("1000", "1,000"), std::pair("-999", "-999"),
        std::pair("-123456", "-123,456"), std::pair("65138688", "65,138,688")})
    EXPECT_EQ(with_commas(number), text);
}

TEST(text, integers_print_in_full) {
  EXPECT_EQ(number_str(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(number_str(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(number_str(std::int8_t{-1}), "-1");
  EXPECT_EQ(number_str(true), "true");
}

template <class T>
void every_16_bit_number_reads_back() {
  for (unsigned bits = 0; bits < 65536; ++bits) {
    const T value = T::from_bits(static_cast<std::uint16_t>(bits));
    const auto back = parse_number<T>(number_str(value));
    ASSERT_TRUE(back) << number_str(value);
    if (std::isnan(static_cast<float>(value)))
      ASSERT_TRUE(std::isnan(static_cast<float>(*back)));
    else
      ASSERT_EQ(back->bits, value.bits) << number_str(value);
  }
}

TEST(text, every_float16_and_bfloat16_reads_back) {
  every_16_bit_number_reads_back<float16>();
  every_16_bit_number_reads_back<bfloat16>();
}

// Checks the claim itself: no decimal with one digit fewer reads back, neither the nearest one nor its neighbours.
template <class T>
void no_16_bit_number_has_a_shorter_decimal() {
  for (unsigned bits = 1; bits < 0x7c00; ++bits) {
    const double value = static_cast<float>(T::from_bits(static_cast<std::uint16_t>(bits)));
    const Decimal d = shortest_decimal(value, std::is_same_v<T, float16> ? FloatFormat::kF16 : FloatFormat::kBF16);
    if (d.digits.size() == 1) continue;
    const int scale = d.exponent - static_cast<int>(d.digits.size()) + 2;
    const int kept = std::stoi(d.digits.substr(0, d.digits.size() - 1));
    for (int i = kept - 1; i <= kept + 2; ++i) {
      const auto shorter = parse_number<T>(std::to_string(i) + "e" + std::to_string(scale));
      ASSERT_FALSE(shorter && shorter->bits == bits) << value << " is also " << i << "e" << scale;
    }
  }
}

TEST(text, no_float16_or_bfloat16_has_a_shorter_decimal) {
  no_16_bit_number_has_a_shorter_decimal<float16>();
  no_16_bit_number_has_a_shorter_decimal<bfloat16>();
}

TEST(text, random_floats_and_doubles_read_back) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    const std::uint64_t bits = random();
    const double d = std::bit_cast<double>(bits);
    if (std::isfinite(d)) {
      ASSERT_EQ(parse_number<double>(number_str(d)), d);
    }
    const float f = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    if (std::isfinite(f)) {
      ASSERT_EQ(parse_number<float>(number_str(f)), f);
    }
  }
}

TEST(text, integers_parse_whole_and_in_range) {
  EXPECT_EQ(parse_integer<int>("-12"), -12);
  EXPECT_EQ(parse_integer<std::int64_t>("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(parse_integer<std::uint8_t>("255"), 255);
  for (const char* bad : {"", "-", "+1", " 1", "1 ", "1.0", "0x10", "9223372036854775808", "1e3"})
    EXPECT_FALSE(parse_integer<std::int64_t>(bad)) << bad;
  EXPECT_FALSE(parse_integer<std::uint8_t>("256"));
  EXPECT_FALSE(parse_integer<std::uint8_t>("-1"));
}

TEST(text, numbers_parse_whole_and_in_range) {
  EXPECT_EQ(parse_number<double>("1"), 1.0);
  EXPECT_EQ(parse_number<double>("-.5"), -0.5);
  EXPECT_EQ(parse_number<double>("2."), 2.0);
  EXPECT_EQ(parse_number<double>("1E+3"), 1000.0);
  EXPECT_EQ(parse_number<double>("5e-324"), 5e-324);
  EXPECT_EQ(parse_number<double>("0e99999999999"), 0.0);
  EXPECT_TRUE(std::signbit(*parse_number<double>("-0.0")));
  EXPECT_TRUE(std::isnan(*parse_number<float>("nan")));
  EXPECT_EQ(parse_number<float>("-inf"), -std::numeric_limits<float>::infinity());
  for (const char* bad : {"", ".", "-", "e5", "1e", "1e+", "+1", " 1", "1 ", "1.2.3", "0x1p3", "NaN", "infinity",
                          "nan(1)", "1e999", "-1e999", "1e-999", "1f", "--1"})
    EXPECT_FALSE(parse_number<double>(bad)) << bad;
  EXPECT_FALSE(parse_number<float>("1e39"));
  EXPECT_FALSE(parse_number<float>("1e-60"));
  EXPECT_FALSE(parse_number<float16>("65520"));
  EXPECT_FALSE(parse_number<float16>("1e-9"));
  EXPECT_EQ(parse_number<float16>("65519.999")->bits, 0x7bff);
}

// 1 + 2^-11 is the midpoint of the float16s 1 and 1 + 2^-10, and doubles cannot tell these decimals from it.
TEST(text, sixteen_bit_numbers_are_rounded_once) {
  EXPECT_EQ(parse_number<float16>("1.00048828125")->bits, 0x3c00);
  EXPECT_EQ(parse_number<float16>("1.00048828125000000000000000001")->bits, 0x3c01);
  EXPECT_EQ(parse_number<float16>("1.00048828124999999999999999999")->bits, 0x3c00);
  EXPECT_EQ(parse_number<float16>("-0.000100048828125000000000000000001e4")->bits, 0xbc01);
  EXPECT_EQ(parse_number<float16>("1.00146484375")->bits, 0x3c02);  // a tie goes to even
  EXPECT_EQ(parse_number<float16>("100146484374999999999999999.9e-26")->bits, 0x3c01);
  EXPECT_EQ(parse_number<float16>("65519.9999999999999999999999")->bits, 0x7bff);
  EXPECT_EQ(parse_number<bfloat16>("1.00390625000000000000000000001")->bits, 0x3f81);
}

TEST(text_cursor, reads_a_small_language) {
  TextCursor in("let  x1:f32[2, -3] = add y -1.5e-3 # rest\n  in (nan,)", {.comment = "#"});
  EXPECT_TRUE(in.accept("let"));
  EXPECT_EQ(in.identifier(), "x1");
  in.expect(":");
  EXPECT_FALSE(in.accept("f"));  // "f" does not run on into "f32"
  EXPECT_TRUE(in.accept("f32"));
  in.expect("[");
  EXPECT_EQ(in.integer(), 2);
  in.expect(",");
  EXPECT_EQ(in.integer(), -3);
  in.expect("]");
  in.expect("=");
  EXPECT_EQ(in.identifier(), "add");
  EXPECT_EQ(in.peek(), 'y');
  EXPECT_EQ(in.identifier(), "y");
  EXPECT_EQ(in.number(), -1.5e-3);
  const std::size_t mark = in.offset();
  EXPECT_TRUE(in.looking_at("in"));
  EXPECT_EQ(in.position().str(), "2:3");
  in.expect("in");
  in.expect("(");
  EXPECT_EQ(in.number_text(), "nan");
  in.expect(",");
  in.expect(")");
  EXPECT_TRUE(in.at_end());
  EXPECT_EQ(in.peek(), '\0');
  in.seek(mark);
  EXPECT_TRUE(in.accept("in"));
}

TEST(text_cursor, line_ends_can_be_tokens) {
  TextCursor in("a  \n b", {.newlines = TextCursor::Newlines::kKeep});
  EXPECT_EQ(in.identifier(), "a");
  EXPECT_EQ(in.position().str(), "1:4");
  EXPECT_EQ(message_of([&] { in.identifier(); }), "1:4: expected a name; got end of line.");
  in.expect("\n");
  EXPECT_EQ(in.identifier(), "b");
}

TEST(text_cursor, strings_are_unescaped) {
  TextCursor in(R"("a\n\"\\\x41" "")");
  EXPECT_EQ(in.quoted(), "a\n\"\\A");
  EXPECT_EQ(in.quoted(), "");
  EXPECT_EQ(message_of([] { TextCursor("\"abc").quoted(); }), "1:5: expected '\"'; got end of text.");
  EXPECT_EQ(message_of([] { TextCursor("\"a\\q\"").quoted(); }),
            "1:3: expected an escape \\\" \\\\ \\n \\t \\r or \\xHH; got \\q.");
  EXPECT_EQ(message_of([] { TextCursor("\"a\\").quoted(); }),
            "1:3: expected an escape \\\" \\\\ \\n \\t \\r or \\xHH; got \\.");
}

TEST(text_cursor, errors_name_the_place_and_the_token) {
  EXPECT_EQ(message_of([] { TextCursor("a\n  b ]").expect("("); }), "1:1: expected '('; got 'a'.");
  EXPECT_EQ(message_of([] {
              TextCursor in("a\n  let7 ]", {.source = "f.txt"});
              in.identifier();
              in.expect("let");
            }),
            "f.txt:2:3: expected 'let'; got 'let7'.");
  EXPECT_EQ(message_of([] { TextCursor("  ").identifier(); }), "1:3: expected a name; got end of text.");
  EXPECT_EQ(message_of([] { TextCursor("x").integer(); }), "1:1: expected an integer; got 'x'.");
  EXPECT_EQ(message_of([] { TextCursor("-").integer(); }), "1:1: expected an integer; got '-'.");
  EXPECT_EQ(message_of([] { TextCursor("12x").integer(); }), "1:1: expected an integer; got '12x'.");
  EXPECT_EQ(message_of([] { TextCursor("99999999999999999999").integer(); }),
            "1:1: expected an integer of 64 bits; got 99999999999999999999.");
  EXPECT_EQ(message_of([] { TextCursor("1e999").number(); }), "1:1: expected a number that a double holds; got 1e999.");
  EXPECT_EQ(message_of([] { TextCursor("1.2.3").number(); }), "1:1: expected a number; got '1'.");
  EXPECT_EQ(message_of([] { TextCursor("\x01").identifier(); }), "1:1: expected a name; got '\\x01'.");
}

TEST(text, small_floats_are_read_and_rounded_once) {
  namespace formats = small_float_formats;
  const auto value = [](const SmallFloatFormat& f, std::string_view text) {
    const auto code = parse_small_float(f, text);
    return code ? std::optional(decode_small_float(f, *code)) : std::nullopt;
  };
  EXPECT_EQ(value(formats::e4m3fn, "0.1"), 0.1015625);
  EXPECT_EQ(value(formats::e4m3fn, "-448.0"), -448);
  EXPECT_EQ(value(formats::e5m2, "-inf"), -INFINITY);
  EXPECT_EQ(value(formats::e2m1fn, "6"), 6);
  EXPECT_EQ(value(formats::e8m0fnu, "0.125"), 0.125);
  EXPECT_EQ(parse_small_float(formats::e5m2, "-0.0"), 0x80);
  EXPECT_EQ(parse_small_float(formats::e5m2, "nan"), 0x7e);
  // A hair above a midpoint, which double cannot tell from it.
  EXPECT_EQ(value(formats::e4m3fn, "1.0625"), 1);
  EXPECT_EQ(value(formats::e4m3fn, "1.06250000000000000000000000000001"), 1.125);
  EXPECT_EQ(value(formats::e4m3fn, "-1.06250000000000000000000000000001"), -1.125);
  // What the format does not hold.
  EXPECT_EQ(value(formats::e4m3fn, "inf"), std::nullopt);
  EXPECT_EQ(value(formats::e4m3fn, "500"), std::nullopt);
  EXPECT_EQ(value(formats::e5m2, "1e9"), std::nullopt);
  EXPECT_EQ(value(formats::e5m2, "1e-9"), std::nullopt);
  EXPECT_EQ(value(formats::e2m1fn, "8"), std::nullopt);
  EXPECT_EQ(value(formats::e2m1fn, "nan"), std::nullopt);
  EXPECT_EQ(value(formats::e8m0fnu, "0"), std::nullopt);
  EXPECT_EQ(value(formats::e8m0fnu, "-1"), std::nullopt);
  EXPECT_EQ(value(formats::e5m2, "1x"), std::nullopt);
}

TEST(text_cursor, numbers_end_where_operators_begin) {
  TextCursor in("1+2-3");
  EXPECT_EQ(in.number(), 1.0);
  in.expect("+");
  EXPECT_EQ(in.number(), 2.0);
  EXPECT_EQ(in.number(), -3.0);
}

}  // namespace
}  // namespace weft
