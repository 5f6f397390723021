// Literals whose bytes stand in the file's resources, and the spellings of numbers.
#include <gtest/gtest.h>

#include "weft/base/error.h"
#include "weft/stablehlo/import.h"
#include "weft/weft.h"

namespace weft::stablehlo {
namespace {

std::string error_of(const std::string& text) {
  try {
    import(text, {.source = "a.mlir"});
  } catch (const ParseError& e) {
    return e.message();
  }
  return "no error";
}

std::string with_resource(const std::string& type, const std::string& blob) {
  return "func.func @main() -> tensor<" + type + "> {\n  %0 = stablehlo.constant dense_resource<w> : tensor<" + type +
         ">\n  return %0 : tensor<" + type + ">\n}\n{-#\n  dialect_resources: {\n    builtin: {\n      w: \"" + blob +
         "\"\n    }\n  }\n#-}\n";
}

TEST(resources, literals_have_the_bytes_that_stand_at_the_files_end) {
  EXPECT_EQ(import(with_resource("2xf32", "0x040000000000803F00000040"))()[0].to_vector<float>(),
            (std::vector<float>{1, 2}));
  EXPECT_EQ(import(with_resource("i16", "0x01000000FFFF"))()[0].item<int>(), -1);
  EXPECT_EQ(import(with_resource("0x3xf64", "0x08000000"))()[0].size(), 0);
  // Booleans stand one to a byte, or eight.
  const std::vector<bool> bits{true, false, true, true, false, false, false, false, true};
  EXPECT_EQ(import(with_resource("9xi1", "0x01000000010001010000000001"))()[0].to_vector<bool>(), bits);
  EXPECT_EQ(import(with_resource("9xi1", "0x010000000D01"))()[0].to_vector<bool>(), bits);
}

TEST(resources, programs_come_back_without_them) {
  const char* text = R"(
#bias = dense_resource<"a name"> : tensor<1xf32>
module attributes {list = [dense_resource<_w.1> : tensor<1xi8>, #bias]} {
  func.func @main() -> tensor<1xf32> {
    %0 = stablehlo.constant dense_resource<"a name"> : tensor<1xf32>
    return %0 : tensor<1xf32>
  }
}
{-#
  external_resources: { mlir_reproducer: { verify_each: true, pipeline: "any \"text\"" } },
  dialect_resources: { builtin: { _w.1: "0x0100000005", "a name": "0x040000000000803F" }, other: { _w.1: "anything" } }
#-}
)";
  const Module m = parse(text);
  EXPECT_EQ(attribute_text(*m.top.find("list")),
            "[dense<\"0x05\"> : tensor<1xi8>, dense<\"0x0000803F\"> : tensor<1xf32>]");
  EXPECT_TRUE(parse(print(m, Form::kPretty)) == m);
  EXPECT_TRUE(parse(print(m, Form::kGeneric)) == m);
  EXPECT_EQ(import(m)()[0].item<float>(), 1);
}

TEST(resources, what_does_not_fit_is_refused_at_its_use) {
  const std::string at = "a.mlir:2:27: dense_resource<w>: ";
  EXPECT_EQ(error_of(with_resource("2xf32", "0x040000000000803F")),
            at + "there must be 8 bytes for tensor<2xf32>; got 4.");
  EXPECT_EQ(error_of(with_resource("2xf32", "0x0400")),
            at + "its data must be \"0x...\", four bytes of alignment and the elements; got \"0x0400\", 6 characters.");
  EXPECT_EQ(error_of(with_resource("2xf32", "bytes")),
            at + "its data must be \"0x...\", four bytes of alignment and the elements; got \"bytes\", 5 characters.");
  EXPECT_EQ(error_of(with_resource("f32", "0x030000000000803F")), at + "its alignment must be a power of two; got 3.");
  EXPECT_EQ(error_of(with_resource("f32", "0x0400zz000000803F")), at + "its bytes must be hexadecimal digits; got zz.");
  EXPECT_NE(error_of(with_resource("f32", "0x040000000000zz3F")).find("hexadecimal digits"), std::string::npos);
  // Import refuses these types at every operation that has them.
  for (const char* type : {"?xf32", "9000000000000000000x9xf32"})
    EXPECT_NE(error_of(with_resource(type, "0x04000000"))
                  .find(at + "there must be a tensor type of known size; got tensor<" + type + ">."),
              std::string::npos)
        << type;
  EXPECT_EQ(error_of("func.func @main() -> tensor<f32> {\n  %0 = stablehlo.constant dense_resource<w> : tensor<f32>\n"
                     "  return %0 : tensor<f32>\n}\n{-# dialect_resources: {other: {w: \"0x040000000000803F\"}} #-}\n"),
            "a.mlir:2:27: dense_resource: the data of a constant must be in the text; got the name w.");
  EXPECT_NE(error_of("{-# dialect_resources: {builtin: {w: \"0x04000000\", w: \"0x04000000\"}} #-}")
                .find("expected a name that no resource has yet"),
            std::string::npos);
  for (const char* broken : {"{-#", "{-# a", "{-# a: {b: {c: \"", "{-# a: {b: {c: \"x\\", "{-# a: {b: {c: 1}} #-}",
                             "{-# dialect_resources: {builtin: {w: \"0x\"}}"})
    EXPECT_THROW(parse(broken), ParseError) << broken;
  EXPECT_THROW(parse_attribute("dense_resource<w> : tensor<f32>"), ParseError);
}

TEST(resources, what_is_missing_or_wrong_is_named_together) {
  EXPECT_EQ(error_of("func.func @main() {\n"
                     "  %0 = stablehlo.constant dense_resource<a> : tensor<2xf32>\n"
                     "  %1 = stablehlo.constant dense_resource<b> : tensor<2xf32>\n"
                     "  %2 = stablehlo.frob %0, %1 : tensor<2xf32>\n"
                     "  return\n}\n{-# dialect_resources: {builtin: {a: \"0x040000000000803F\"}} #-}\n"),
            "a.mlir:2:27: dense_resource<a>: there must be 8 bytes for tensor<2xf32>; got 4.\n"
            "a.mlir:3:27: dense_resource: the data of a constant must be in the text; got the name b.\n"
            "a.mlir:4:8: stablehlo.frob: Weft has no such operation.");
}

TEST(resources, many_uses_of_one_stand_for_a_bounded_amount) {
  std::string text = "func.func @main() {\n";
  for (int i = 0; i < 300; ++i)
    text += "  %" + std::to_string(i) + " = stablehlo.constant dense_resource<w> : tensor<1048576xi8>\n";
  text += "  return\n}\n{-# dialect_resources: {builtin: {w: \"0x01000000" + std::string(2097152, '0') + "\"}} #-}\n";
  EXPECT_NE(error_of(text).find("literals that share a resource may be at most 256 MiB together"), std::string::npos);
}

TEST(literals, integers_may_be_spelled_signed_or_unsigned) {
  const auto value = [](const std::string& dense, const std::string& type) {
    return import("func.func @main() -> tensor<" + type + "> {\n  %0 = stablehlo.constant dense<" + dense +
                  "> : tensor<" + type + ">\n  return %0 : tensor<" + type + ">\n}\n")()[0];
  };
  const auto integers = [](const Array& x) { return lax::convert(x, i32).to_vector<int>(); };
  EXPECT_EQ(integers(value("[255, -128, 0x80, -0x1, 127]", "5xi8")), (std::vector<int>{-1, -128, -128, -1, 127}));
  EXPECT_EQ(value("4294967295", "i32").item<int>(), -1);
  EXPECT_EQ(value("18446744073709551615", "i64").item<std::int64_t>(), -1);
  EXPECT_EQ(integers(value("[255, 0xFF]", "2xui8")), (std::vector<int>{255, 255}));
  EXPECT_EQ(integers(value("[15, -8, 0xF]", "3xi4")), (std::vector<int>{-1, -8, -1}));
  EXPECT_EQ(integers(value("[15, 0xF]", "2xui4")), (std::vector<int>{15, 15}));
  EXPECT_EQ(value("[true, 1, -1, 0, 0x1]", "5xi1").to_vector<bool>(),
            (std::vector<bool>{true, true, true, false, true}));
  for (const auto& [dense, type] : std::vector<std::pair<std::string, std::string>>{{"256", "i8"},
                                                                                    {"-129", "i8"},
                                                                                    {"0x100", "i8"},
                                                                                    {"-0x81", "i8"},
                                                                                    {"-1", "ui8"},
                                                                                    {"-0x1", "ui8"},
                                                                                    {"256", "ui8"},
                                                                                    {"128", "si8"},
                                                                                    {"16", "i4"},
                                                                                    {"-9", "i4"},
                                                                                    {"-1", "ui4"},
                                                                                    {"2", "i1"},
                                                                                    {"true", "i8"},
                                                                                    {"18446744073709551616", "i64"},
                                                                                    {"-9223372036854775809", "i64"}})
    EXPECT_THROW(value(dense, type), ParseError) << dense << " : " << type;
  // Attributes alike.
  EXPECT_EQ(parse_attribute("array<i64: 0x10, -0x8000000000000000>").integers,
            (std::vector<std::int64_t>{16, std::numeric_limits<std::int64_t>::min()}));
  EXPECT_THROW(parse_attribute("array<i64: 0x8000000000000000>"), ParseError);
}

}  // namespace
}  // namespace weft::stablehlo
