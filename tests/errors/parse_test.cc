#include "error_text.h"
#include "weft/np/npy.h"

namespace weft::errors {
namespace {

TEST(parse_error, an_unknown_operation) {
  expect_error<ParseError>([&] { ir::parse("{ lambda ; a:f32[3]. let\n    b:f32[3] = frobnicate a\n  in (b,) }"); },
                           "parse: 2:16: expected an operation; got frobnicate.\n"
                           "  at here");
}

TEST(parse_error, an_unknown_variable) {
  expect_error<ParseError>([&] { ir::parse("{ lambda ; a:f32[3]. let\n    b:f32[3] = sin c\n  in (b,) }"); },
                           "parse: 2:20: expected a variable defined above; got c.\n"
                           "  at here");
}

TEST(parse_error, a_wrong_result_type) {
  expect_error<ParseError>([&] { ir::parse("{ lambda ; a:f32[3]. let\n    b:f32[4] = sin a\n  in (b,) }"); },
                           "parse: 2:5: expected type f32[3]; got f32[4].\n"
                           "  at here");
}

TEST(parse_error, operands_that_do_not_fit) {
  expect_error<ParseError>([&] { ir::parse("{ lambda ; a:f32[3]. let\n    b:f32[3] = mul a\n  in (b,) }"); },
                           "parse: 2:16: expected operands and parameters that fit; got mul: there must be "
                           "2 operands; got 1.\n"
                           "  at here");
}

TEST(parse_error, text_that_ends_early) {
  expect_error<ParseError>([&] { ir::parse("{ lambda ; a:f32[3]. let"); },
                           "parse: 1:25: expected a name; got end of text.\n"
                           "  at here");
}

TEST(parse_error, no_text) {
  expect_error<ParseError>([&] { ir::parse(""); },
                           "parse: 1:1: expected '{'; got end of text.\n"
                           "  at here");
}

TEST(parse_error, a_truncated_npy_file) {
  std::vector<std::byte> file = np::npy_header(Aval(f32, Dims{2, 3}));
  file.resize(file.size() + 20);
  expect_error<ParseError>([&] { np::read_npy(file, "weights.npy"); },
                           "read_npy: weights.npy: the data of f32[2,3] must have 24 bytes; got 20.\n"
                           "  at here");
}

TEST(parse_error, a_file_that_is_not_npy) {
  const std::vector<std::byte> file(100, std::byte{7});
  expect_error<ParseError>(
      [&] { np::read_npy(file, "weights.npy"); },
      "read_npy: weights.npy: the file must start with '\\x93NUMPY'; got '\\x07\\x07\\x07\\x07\\x07\\x07'.\n  at here");
}

TEST(parse_error, an_endless_array_file) {
  expect_error<ParseError>([&] { np::load("/dev/zero"); },
                           "load: /dev/zero: the file must start with '\\x93NUMPY'; got "
                           "'\\x00\\x00\\x00\\x00\\x00\\x00'.\n"
                           "  at here");
}

TEST(parse_error, a_program_with_a_callback) {
  const std::string text = make_jaxpr([](Array x) { return debug::print("{}", x), x; })(1.0f).str();
  try {
    ir::parse(text);
    FAIL() << "nothing was thrown";
  } catch (const ParseError& e) {
    EXPECT_EQ(
        e.message(),
        "parse: 10:16: expected no callback: the C++ function that one calls is not in the text, so programs with "
        "callbacks cannot be read; got 'Function'.");
  }
}

}  // namespace
}  // namespace weft::errors
