#include "train/safetensors.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>

#include "harness/errors.h"
#include "hex_bytes.h"
#include "temporary_folder.h"
#include "train/file.h"
#include "train/utf8.h"
#include "weft/base/error.h"
#include "weft/np/np.h"

namespace weft::train {
namespace {

using testing::message_of;

std::vector<std::byte> file_with(const std::string& header, std::size_t data_size = 0) {
  const std::uint64_t size = header.size();
  std::vector<std::byte> out(8 + header.size() + data_size);
  std::memcpy(out.data(), &size, 8);
  std::memcpy(out.data() + 8, header.data(), header.size());
  return out;
}

std::string header_of(const std::vector<std::byte>& file) {
  std::uint64_t size;
  std::memcpy(&size, file.data(), 8);
  return {reinterpret_cast<const char*>(file.data()) + 8, size};
}

std::vector<std::byte> bytes_of_numbers(std::initializer_list<int> numbers) {
  std::vector<std::byte> out;
  for (const int n : numbers) out.push_back(static_cast<std::byte>(n));
  return out;
}

// The bytes in the library's own tests: safetensors/src/tensor.rs, test_serialization, test_empty and
// test_serialization_forced_alignement.
TEST(safetensors, bytes_equal_those_of_the_library) {
  const Safetensors one{{{"attn.0", np::reshape(np::arange(6.0f), {1, 2, 3})}}, {}};
  EXPECT_EQ(
      serialize_safetensors(one),
      bytes_of_numbers({64,  0,   0,   0,   0,   0,  0,  0,  123, 34, 97,  116, 116, 110, 46,  48,  34,  58,  123, 34,
                        100, 116, 121, 112, 101, 34, 58, 34, 70,  51, 50,  34,  44,  34,  115, 104, 97,  112, 101, 34,
                        58,  91,  49,  44,  50,  44, 51, 93, 44,  34, 100, 97,  116, 97,  95,  111, 102, 102, 115, 101,
                        116, 115, 34,  58,  91,  48, 44, 50, 52,  93, 125, 125, 0,   0,   0,   0,   0,   0,   128, 63,
                        0,   0,   0,   64,  0,   0,  64, 64, 0,   0,  128, 64,  0,   0,   160, 64}));
  EXPECT_EQ(serialize_safetensors({}), bytes_of_numbers({8, 0, 0, 0, 0, 0, 0, 0, 123, 125, 32, 32, 32, 32, 32, 32}));
  EXPECT_EQ(serialize_safetensors({{}, {{"framework", "pt"}}}),
            bytes_of_numbers({40,  0,   0,   0,  0,  0,  0,   0,   123, 34,  95,  95,  109, 101, 116, 97,
                              100, 97,  116, 97, 95, 95, 34,  58,  123, 34,  102, 114, 97,  109, 101, 119,
                              111, 114, 107, 34, 58, 34, 112, 116, 34,  125, 125, 32,  32,  32,  32,  32}));
  const Safetensors aligned{{{"attn0", np::reshape(np::arange(6.0f), {1, 1, 2, 3})}}, {}};
  EXPECT_EQ(header_of(serialize_safetensors(aligned)),
            "{\"attn0\":{\"dtype\":\"F32\",\"shape\":[1,1,2,3],\"data_offsets\":[0,24]}}       ");
}

TEST(safetensors, larger_elements_come_first_and_equal_ones_by_name) {
  const Safetensors file{{{"a", Array(std::uint8_t{1})},
                          {"b", Array(1.0)},
                          {"c", Array(bfloat16(1.0f))},
                          {"d", Array(2.0f)},
                          {"e", Array(1.0f)},
                          {"f", Array(std::int64_t{1})},
                          {"g", Array(true)}},
                         {{"k\"", "v\n"}, {"a", "b"}}};
  const std::string header = header_of(serialize_safetensors(file)),
                    begin =
                        "{\"__metadata__\":{\"a\":\"b\",\"k\\\"\":\"v\\n\"},"
                        "\"f\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
                        "\"b\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[8,16]},"
                        "\"d\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[16,20]},\"e\":";
  EXPECT_EQ(header.substr(0, begin.size()), begin);
  const Safetensors back = parse_safetensors(serialize_safetensors(file));
  EXPECT_EQ(back.metadata, file.metadata);
  EXPECT_EQ(back.tensors.size(), 7u);
  EXPECT_EQ(back.tensors.at("e").item<float>(), 1);
  EXPECT_EQ(back.tensors.at("d").item<float>(), 2);
}

TEST(safetensors, every_dtype_of_the_format_comes_back_bit_for_bit) {
  for (const DType dtype :
       {boolean, u8, i8, f8e5m2, f8e4m3fn, f8e8m0fnu, i16, u16, f16, bf16, i32, u32, f32, c64, f64, i64, u64}) {
    const Array a = np::arange(1, 5).astype(compute_dtype(dtype)).astype(dtype);
    const Safetensors file{{{"x", a}, {"empty", np::zeros({0, 3}, f32)}}, {}};
    const Safetensors back = parse_safetensors(serialize_safetensors(file));
    EXPECT_EQ(back.tensors.at("x").aval(), a.aval());
    EXPECT_EQ(back.tensors.at("empty").aval().str(), "f32[0,3]");
    EXPECT_EQ(serialize_safetensors(back), serialize_safetensors(file)) << dtype;
  }
  EXPECT_EQ(message_of<DTypeError>([] { serialize_safetensors({{{"z", Array(std::complex<double>(1, 2))}}, {}}); }),
            "serialize_safetensors: the dtype must be one that safetensors files have; got c128 for z.");
  EXPECT_THROW(serialize_safetensors({{{"q", np::zeros({2}, i8).astype(i4)}}, {}}), DTypeError);
}

TEST(safetensors, names_and_arrays_that_no_file_can_have_are_refused) {
  EXPECT_THROW(serialize_safetensors({{{"__metadata__", Array(1.0f)}}, {}}), ValueError);
  EXPECT_THROW(serialize_safetensors({{{"x", Array()}}, {}}), ValueError);
  EXPECT_THROW(serialize_safetensors({{{"\xff", Array(1.0f)}}, {}}), ValueError);
  EXPECT_THROW(serialize_safetensors({{}, {{"k", "\xff"}}}), ValueError);
}

TEST(safetensors, any_order_and_blanks_in_the_header_are_read) {
  auto file = file_with(
      " {\"b\" : {\"data_offsets\":[4,8],\"shape\":[1],\"dtype\":\"I32\", \"more\": null},"
      "\"a\":{\"dtype\":\"U8\",\"shape\":[2,2],\"data_offsets\":[0,4]}} ",
      8);
  EXPECT_THROW(parse_safetensors(file), ParseError);  // the header starts with '{'
  file = file_with(
      "{\"b\" : {\"data_offsets\":[4,8],\"shape\":[1],\"dtype\":\"I32\", \"more\": null},\n"
      "\"a\":{\"dtype\":\"U8\",\"shape\":[2,2],\"data_offsets\":[0,4]}} ",
      8);
  const Safetensors back = parse_safetensors(file);
  EXPECT_EQ(back.tensors.at("a").aval().str(), "u8[2,2]");
  EXPECT_EQ(back.tensors.at("b").aval().str(), "i32[1]");
}

TEST(safetensors, files_that_are_not_sound_are_refused_with_the_reason) {
  const auto tensor = [](const char* dtype, const char* shape, const char* offsets) {
    return std::string("{\"x\":{\"dtype\":\"") + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets +
           "}}";
  };
  const struct {
    std::vector<std::byte> bytes;
    const char* message;
  } cases[] = {
      {{}, "begin with the 8 bytes of its header's size; got 0 bytes."},
      {bytes_of_numbers({9, 0, 0, 0, 0, 0, 0, 0, '{', '}'}),
       "have its whole header, of at most 100 MB; got 2 bytes for 9."},
      {bytes_of_numbers({255, 255, 255, 255, 255, 255, 255, 255}),
       "have its whole header, of at most 100 MB; got 0 bytes for 18446744073709551615."},
      {file_with("[]"), "have a header that starts with '{'; got another."},
      {file_with(tensor("F33", "[1]", "[0,4]"), 4), "have dtypes that Weft has; got \"F33\" for \"x\"."},
      {file_with(tensor("F32", "[2]", "[0,4]"), 4),
       "have as many bytes in an array as its shape says; got 4 for f32[2] for \"x\"."},
      {file_with(tensor("F32", "[-1]", "[0,4]"), 4), "have integers from 0 in shape; got -1 for \"x\"."},
      {file_with(tensor("F32", "[1.0]", "[0,4]"), 4), "have integers from 0 in shape; got 1.0 for \"x\"."},
      {file_with(tensor("F32", "[1]", "[4,0]"), 4), "have two data_offsets in order; got others for \"x\"."},
      {file_with(tensor("F32", "[1]", "[0]"), 4), "have two data_offsets in order; got others for \"x\"."},
      {file_with(tensor("F32", "[1]", "[4,8]"), 8),
       "have its arrays one after the other; got \"x\" from 4 on where 0 "
       "comes next."},
      {file_with(tensor("F32", "[1]", "[0,4]"), 3), "have the 4 bytes of its arrays after the header; got 3."},
      {file_with(tensor("F32", "[1]", "[0,4]"), 5), "have the 4 bytes of its arrays after the header; got 5."},
      {file_with(tensor("F32", "[4611686018427387904,4]", "[0,0]")),
       "have as many bytes in an array as its shape says; got 0 for f32[4611686018427387904,4] for \"x\"."},
      {file_with("{\"x\":{\"shape\":[],\"data_offsets\":[0,0]}}"), "have a dtype; got none for \"x\"."},
      {file_with("{\"x\":3}"), "have shape; got none for \"x\"."},
      {file_with("{\"__metadata__\":3}"), "have an object as __metadata__; got something else."},
      {file_with("{\"__metadata__\":{\"a\":3}}"), "have texts as metadata; got another value for \"a\"."},
      {file_with("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
                 "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}",
                 3),
       "have its arrays one after the other; got \"b\" from 1 on where 2 comes next."},
  };
  for (const auto& c : cases)
    EXPECT_EQ(message_of<ParseError>([&] { parse_safetensors(c.bytes, "f"); }),
              std::string("parse_safetensors: f must ") + c.message);
  EXPECT_EQ(message_of<ParseError>([] { parse_safetensors(file_with("{\"a\":1,}"), "f"); }),
            "parse_safetensors: f must have a header in JSON; got syntax error while parsing object key - unexpected "
            "'}'; expected string literal, at byte 15.");
  EXPECT_EQ(message_of<ParseError>([] { parse_safetensors(file_with(R"({"a":1,"b":{},"a":2})"), "f"); }),
            "parse_safetensors: f must have each name once; got \"a\" again.");
  EXPECT_EQ(message_of<ParseError>([] { parse_safetensors(file_with("{\"a\":" + std::string(100000, '[')), "f"); }),
            "parse_safetensors: f must have a header nested at most 8 deep; got more.");
}

TEST(safetensors, whatever_the_header_has_the_error_is_ours_and_its_text_utf8) {
  const auto message = [](const std::string& header) {
    return message_of<ParseError>([&] { parse_safetensors(file_with(header), "f"); });
  };
  EXPECT_EQ(message(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1e999}})"),
            "parse_safetensors: f must have a header in JSON; got number overflow parsing '1e999'.");
  // What follows a zero byte is not overlooked.
  EXPECT_EQ(message(std::string("{}\0garbage", 10)),
            "parse_safetensors: f must have a header in JSON; got a zero byte, at byte 10.");
  EXPECT_EQ(message(std::string("{}\0", 3)),
            "parse_safetensors: f must have a header in JSON; got a zero byte, at byte 10.");
  // Bytes that are no UTF-8, and a character that is cut where the parser stopped.
  for (const std::string header : {"{\"\xff\":1}", "{\xc3\xa9:1}", "{\"a\":\xf0\x9f\x98\x80}"}) {
    EXPECT_EQ(message(header).substr(0, 52), "parse_safetensors: f must have a header in JSON; got");
    EXPECT_TRUE(is_utf8(message(header))) << message(header);
  }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which end the program instead
TEST(safetensors, memory_that_cannot_be_had_is_an_error_with_the_files_name) {
  const auto file = file_with("{\"__metadata__\":{\"a\":\"" + std::string(64 << 20, 'x') + "\"}}");
  const auto parse_with_little_memory = [&] {
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const rlim_t most = pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) + (16 << 20);
    const rlimit limit{most, most};
    if (setrlimit(RLIMIT_AS, &limit) != 0) _exit(1);
    try {
      parse_safetensors(file, "big");
    } catch (const BackendError& e) {
      std::fputs(e.what(), stderr);
      _exit(0);
    }
    _exit(2);
  };
  EXPECT_EXIT(parse_with_little_memory(), ::testing::ExitedWithCode(0),
              "parse_safetensors: there must be memory for what big holds; got none for its 671[0-9]* bytes");
}
#endif

TEST(safetensors, every_truncation_is_refused_and_no_flipped_bit_crashes) {
  auto bytes = serialize_safetensors({{{"w", np::arange(3.0f)}, {"b", Array(true)}}, {{"k", "v"}}});
  for (std::size_t n = 0; n < bytes.size(); ++n)
    EXPECT_THROW(parse_safetensors(std::span(bytes).first(n)), ParseError) << n;
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] ^= std::byte{1} << bit % 8;
    try {
      (void)serialize_safetensors(parse_safetensors(bytes));
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), "ParseError") << e.what();
    }
    bytes[bit / 8] ^= std::byte{1} << bit % 8;
  }
}

struct NamedModel {
  std::map<std::string, Array> params;
  std::vector<Array> layers;
  Array none;
  int depth = 3;
  std::string name = "mlp";
};
NamedModel named_model(float value) {
  return {{{"Dense_0/kernel", np::full({2, 2}, value)}}, {np::full({1}, value), np::full({2}, value)}, {}, 4, "cnn"};
}

TEST(safetensors, trees_have_their_paths_as_names_with_either_separator) {
  for (const std::string separator : {"/", "."}) {
    const Safetensors file = to_safetensors(named_model(2), separator);
    EXPECT_TRUE(file.tensors.contains("params" + separator + "Dense_0" + separator + "kernel"));
    EXPECT_TRUE(file.tensors.contains("layers" + separator + "1"));
    NamedModel target = named_model(0);
    target.depth = 0;
    target.name = "";
    const NamedModel back = from_safetensors(target, parse_safetensors(serialize_safetensors(file)), separator);
    EXPECT_EQ(back.layers[1].to_vector<float>(), std::vector<float>(2, 2));
    EXPECT_EQ(back.depth, 4);
    EXPECT_EQ(back.name, "cnn");
    EXPECT_FALSE(back.none.defined());
  }
}

TEST(safetensors, foreign_files_need_no_values_of_weft_but_all_arrays) {
  Safetensors file = to_safetensors(named_model(1), ".");
  file.metadata = {{"format", "pt"}};
  EXPECT_EQ(message_of<TreeError>([&] { from_safetensors(named_model(0), file, "."); }),
            "from_safetensors: the file must have the leaves of the target; got 2 differences:\n"
            "  missing depth, a static value\n"
            "  missing name, a static value.");
  EXPECT_EQ(from_safetensors(named_model(0), file, ".", {.allow_missing = true}).depth, 4);
  file.tensors.erase("layers.0");
  file.tensors.emplace("layers.0.weight", Array(1.0f));
  EXPECT_EQ(message_of<TreeError>([&] { from_safetensors(std::vector<Array>{Array(1.0f)}, file, "."); }),
            "from_safetensors: the file must have the leaves of the target; got 4 differences:\n"
            "  missing 0, f32[]\n"
            "  extra layers.0.weight, f32[]\n"
            "  extra layers.1, f32[2]\n"
            "  extra params.Dense_0.kernel, f32[2,2].");
  EXPECT_EQ(message_of<ValueError>(
                [] { to_safetensors(std::map<std::string, Array>{{"a.b", Array(1.0f)}, {"a/b", Array(1.0f)}}, "."); }),
            "to_safetensors: the names of leaves must differ; got \"a.b\" twice.");
}

TEST(safetensors, files_are_written_and_read) {
  const TemporaryFolder folder;
  write_safetensors(folder / "a.safetensors", {{{"x", np::arange(3)}}, {}});
  EXPECT_EQ(read_safetensors(folder / "a.safetensors").tensors.at("x").to_vector<std::int32_t>(),
            (std::vector<std::int32_t>{0, 1, 2}));
  EXPECT_EQ(folder.count(), 1u);
  EXPECT_THROW(read_safetensors(folder / "b"), BackendError);
}

}  // namespace
}  // namespace weft::train
