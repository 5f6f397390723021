#include "train/msgpack.h"

#include <gtest/gtest.h>

#include "harness/errors.h"
#include "hex_bytes.h"
#include "weft/base/error.h"
#include "weft/np/np.h"

namespace weft::train {
namespace {

using testing::message_of;

using Variables = std::map<std::string, std::map<std::string, Array>>;

// GOLDEN.md 168: docs/notebooks/flax_basics.ipynb of Flax prints a trained Dense layer's parameters and what to_bytes
// makes of them.
constexpr std::string_view kFlaxBasics =
    "81a6706172616d7382a462696173c72101939105a7666c6f61743332c4142d7a41c026dd073fba706e408a5ebb3f5b714dc0a66b65726e65"
    "6cc7d60193920a05a7666c6f61743332c4c833e466bcdd489f3b1dc33b3c508f79bd863dab37728009bd6ea8ccba4171e239b57d01bca09f"
    "a2bc3daf9abcea060cbb4de498bc0dc5f5bc6580543dd11845bd21ddefbc077b44bc6faa25bc9ebd08bc1c488ebcc9f58bbcfae7763df082"
    "bc3dfe8b7cbc267ef6bc8c70b5bba37b15bcc3ceb23c8f28a7bcb87068bd98b62ebd19613bbcfa3d9b3d9b74a4bcfd54bcba837883bc6a47"
    "813ca35e3a3bbb470bbc1393923caad16b3d2eea293d1b5323bccb34b3bc5c54adbcb7f762bc626fcd3c9fdc063de51e1c3d";

Variables flax_basics() {
  const std::vector<float> bias{-3.023082f, 0.5307182f, 3.7256303f, 1.4638226f, -3.2100437f};
  const std::vector<float> kernel{-1.4092493e-02f, 4.8609809e-03f,  1.1460093e-02f,  -6.0927689e-02f, 2.0413438e-05f,
                                  -3.3569761e-02f, -1.5614161e-03f, 4.3190460e-04f,  -7.9035060e-03f, -1.9851506e-02f,
                                  -1.8882388e-02f, -2.1366426e-03f, -1.8663550e-02f, -3.0001188e-02f, 5.1880259e-02f,
                                  -4.8119370e-02f, -2.9280247e-02f, -1.1992223e-02f, -1.0111435e-02f, -8.3459895e-03f,
                                  -1.7368369e-02f, -1.7084973e-02f, 6.0279824e-02f,  9.2046618e-02f,  -1.5414236e-02f,
                                  -3.0089449e-02f, -5.5370983e-03f, -9.1237156e-03f, 2.1827107e-02f,  -2.0405082e-02f,
                                  -5.6748122e-02f, -4.2654604e-02f, -1.1436724e-02f, 7.5801805e-02f,  -2.0075133e-02f,
                                  -1.4368590e-03f, -1.6048675e-02f, 1.5781123e-02f,  2.8437756e-03f,  -8.5009886e-03f,
                                  1.7892396e-02f,  5.7572998e-02f,  4.1483097e-02f,  -9.9685444e-03f, -2.1875760e-02f,
                                  -2.1158390e-02f, -1.3853005e-02f, 2.5077526e-02f,  3.2925244e-02f,  3.8115401e-02f};
  return {{"params", {{"bias", Array(bias)}, {"kernel", Array::from_vector(kernel, {10, 5})}}}};
}

TEST(msgpack, parameters_have_the_bytes_that_flax_prints) {
  EXPECT_EQ(hex_of_bytes(to_bytes(flax_basics())), kFlaxBasics);
  Variables target = flax_basics();
  for (auto& [name, a] : target.at("params")) a = np::zeros_like(a);
  const Variables back = from_bytes(target, bytes_of_hex(kFlaxBasics));
  EXPECT_EQ(back.at("params").at("kernel").to_vector<float>(),
            flax_basics().at("params").at("kernel").to_vector<float>());
}

// Made by msgpack for Python with the conversions of flax/serialization.py.
constexpr std::string_view kAllKinds =
    "de0010a473746570c70e019390a5696e743332c40407000000a6706172616d7382a177c7260193920203a7666c6f61743332c41800000000"
    "0000803f0000004000004040000080400000a040a162c70d01939100a7666c6f61743136c400a36f707482a13081a5636f756e74c70f0193"
    "90a675696e743332c40403000000a13180a46e6f6e65c0a4666c6167c3a16efda3626967cf8000000000000000a5736d616c6cd3ffffff00"
    "00000000a178cb3fb999999999999aa46e616d65a368c3a9a17ac7130292cb3ff0000000000000cbc000000000000000a173c714039390a7"
    "666c6f61743634c4080000000000000440a46d61736bc70c01939102a4626f6f6cc4020100a56279746573c4020102a46c6f6e67d9286161"
    "6161616161616161616161616161616161616161616161616161616161616161616161616161a169dc0012007fcc80ccffcd0100cdffffce"
    "00010000ceffffffffcf0000000100000000ffe0d0dfd080d1ff7fd18000d2ffff7fffd280000000d3ffffffff7fffffff";

StateDict all_kinds() {
  const auto dict = [](std::vector<StateEntry> entries) {
    StateDict out;
    for (StateEntry& e : entries) out.set(std::move(e.key), std::move(e.value));
    return out;
  };
  const StateDict params = dict({{"w", np::reshape(np::arange(6.0f), {2, 3})}, {"b", np::zeros({0}, f16)}});
  const StateDict opt = dict({{"0", dict({{"count", Array(std::uint32_t{3})}})}, {"1", StateDict()}});
  StateList numbers;
  for (const std::int64_t n :
       std::initializer_list<std::int64_t>{0, 127, 128, 255, 256, 65535, 65536, 4294967295, 4294967296, -1, -32, -33,
                                           -128, -129, -32768, -32769, -2147483648, -2147483649})
    numbers.emplace_back(n);
  return dict({{"step", Array(std::int32_t{7})},
               {"params", params},
               {"opt", opt},
               {"none", {}},
               {"flag", true},
               {"n", -3},
               {"big", std::uint64_t{1} << 63},
               {"small", -(std::int64_t{1} << 40)},
               {"x", 0.1},
               {"name", "h\xc3\xa9"},
               {"z", std::complex<double>(1, -2)},
               {"s", NumpyScalar{Array(2.5)}},
               {"mask", Array(std::vector<bool>{true, false})},
               {"bytes", std::vector<std::byte>{std::byte{1}, std::byte{2}}},
               {"long", std::string(40, 'a')},
               {"i", numbers}});
}

TEST(msgpack, values_of_all_kinds_have_pythons_bytes_and_read_back) {
  EXPECT_EQ(hex_of_bytes(msgpack_serialize(all_kinds(), {.sort_keys = false})), kAllKinds);
  const StateValue back = msgpack_restore(bytes_of_hex(kAllKinds));
  EXPECT_EQ(hex_of_bytes(msgpack_serialize(back, {.sort_keys = false})), kAllKinds);
  const StateDict& d = *back.get_if<StateDict>();
  EXPECT_EQ(*d.at("n").get_if<std::int64_t>(), -3);
  EXPECT_EQ(*d.at("big").get_if<std::uint64_t>(), std::uint64_t{1} << 63);
  EXPECT_EQ(*d.at("z").get_if<std::complex<double>>(), std::complex<double>(1, -2));
  EXPECT_EQ(d.at("s").get_if<NumpyScalar>()->value.dtype(), f64);
}

TEST(msgpack, to_bytes_keeps_the_order_of_declaration_and_serialize_sorts) {
  struct Declared {
    Array z, a;
  };
  const Declared t{Array(1.0f), Array(2.0f)};
  EXPECT_EQ(hex_of_bytes(to_bytes(t)),
            "82a17ad8019390a7666c6f61743332c4040000803fa161d8019390a7666c6f61743332c40400000040");
  EXPECT_EQ(hex_of_bytes(msgpack_serialize(to_state_dict(t))),
            "82a161d8019390a7666c6f61743332c40400000040a17ad8019390a7666c6f61743332c4040000803f");
}

TEST(msgpack, every_dtype_comes_back_bit_for_bit_under_numpys_name) {
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto dtype = static_cast<DType>(i);
    const Array a = np::arange(6).astype(is_storage(dtype) ? compute_dtype(dtype) : dtype).astype(dtype);
    const auto bytes = to_bytes(np::reshape(a, {2, 3}));
    const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    EXPECT_NE(text.find(std::string(numpy_name(dtype))), std::string::npos) << dtype;
    const Array back = from_bytes(np::reshape(a, {2, 3}), bytes);
    EXPECT_EQ(back.aval(), np::reshape(a, {2, 3}).aval());
    EXPECT_EQ(to_bytes(back), bytes) << dtype;
  }
}

TEST(msgpack, large_arrays_are_chunked_as_flax_does) {
  constexpr std::string_view kChunked =
      "81a16183b95f5f6d73677061636b5f6368756e6b65645f61727261795f5fc3a5736861706581a13005a66368756e6b7383a130c715019391"
      "02a7666c6f61743332c408000000000000803fa131c71501939102a7666c6f61743332c4080000004000004040a132c71101939101a7666c"
      "6f61743332c40400008040";
  StateDict d;
  d.set("a", np::arange(5.0f));
  EXPECT_EQ(hex_of_bytes(msgpack_serialize(d, {.max_chunk_bytes = 8})), kChunked);
  const StateValue back = msgpack_restore(bytes_of_hex(kChunked));
  EXPECT_EQ(back.get_if<StateDict>()->at("a").array()->to_vector<float>(), (std::vector<float>{0, 1, 2, 3, 4}));
  // Chunks smaller than an element have one.
  const auto one = msgpack_serialize(np::reshape(np::arange(12.0), {3, 1, 4}), {.max_chunk_bytes = 1});
  EXPECT_EQ(from_bytes(np::zeros({3, 1, 4}, f64), one).to_vector<double>(), np::arange(12.0).to_vector<double>());
}

TEST(msgpack, long_texts_lists_and_dictionaries_have_longer_heads) {
  for (const std::size_t n : {15, 16, 31, 32, 255, 256, 65535, 65536}) {
    StateDict d;
    StateList list(n, StateValue(1));
    for (std::size_t i = 0; i < n && n <= 256; ++i) d.append(std::to_string(i), true);
    d.append("text", std::string(n, 'x'));
    d.append("bytes", std::vector<std::byte>(n));
    d.append("list", list);
    const auto bytes = msgpack_serialize(d, {.sort_keys = false});
    const StateValue back = msgpack_restore(bytes);
    EXPECT_EQ(msgpack_serialize(back, {.sort_keys = false}), bytes) << n;
    EXPECT_EQ(back.get_if<StateDict>()->at("text").get_if<std::string>()->size(), n);
  }
}

TEST(msgpack, numbers_of_other_widths_are_read) {
  const auto read = [](std::string_view hex) { return msgpack_restore(bytes_of_hex(hex)); };
  EXPECT_EQ(*read("ca3fc00000").get_if<double>(), 1.5);
  EXPECT_EQ(*read("cc05").get_if<std::int64_t>(), 5);
  EXPECT_EQ(*read("d3fffffffffffffffe").get_if<std::int64_t>(), -2);
  EXPECT_EQ(*read("da000161").get_if<std::string>(), "a");
  // Old writers have no type for bytes, and names of dtypes as bytes.
  EXPECT_EQ(read("c711019390c407666c6f61743332c4040000803f").array()->item<float>(), 1);
}

TEST(msgpack, every_truncation_is_refused) {
  const auto whole = bytes_of_hex(kAllKinds);
  for (std::size_t n = 0; n < whole.size(); ++n)
    EXPECT_THROW(msgpack_restore(std::span(whole).first(n), "cut"), ParseError) << n;
  auto longer = whole;
  longer.push_back(std::byte{0});
  EXPECT_EQ(message_of<ParseError>([&] { msgpack_restore(longer, "w.msgpack"); }),
            "msgpack_restore: w.msgpack must end with its value; got 1 byte more at byte " +
                std::to_string(whole.size()) + ".");
}

// Without a sum, a flipped bit may be another number; it never crashes or gives something else than a value.
TEST(msgpack, every_flipped_bit_is_refused_or_gives_a_value) {
  auto bytes = bytes_of_hex(kAllKinds);
  int refused = 0;
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] ^= std::byte{1} << bit % 8;
    try {
      const StateValue v = msgpack_restore(bytes, "flipped");
      (void)msgpack_serialize(v);
    } catch (const ParseError&) {
      ++refused;
    }
    bytes[bit / 8] ^= std::byte{1} << bit % 8;
  }
  EXPECT_GT(refused, 500);
}

TEST(msgpack, what_flax_does_not_write_is_refused_with_the_reason_and_the_byte) {
  const struct {
    const char* hex;
    const char* message;
  } cases[] = {
      {"", "be whole; got 0 bytes where 1 should follow at byte 0."},
      {"c1", "be MessagePack; got the byte 0xc1, which begins nothing at byte 0."},
      {"a261", "be whole; got 1 byte where 2 should follow at byte 1."},
      {"dfffffffff", "be whole; got 0 bytes for 4294967295 entries at byte 5."},
      {"ddffffffff00", "be whole; got 1 byte for 4294967295 entries at byte 5."},
      {"c6ffffffff", "be whole; got 0 bytes where 4294967295 should follow at byte 5."},
      {"810102", "have texts as keys; got the integer 1 at byte 1."},
      {"82a16101a16102", "have each key once; got 'a' again at byte 4."},
      {"a1ff", "have UTF-8 in its texts; got other bytes at byte 1."},
      {"d40500", "have extension types 1, 2 and 3 only; got type 5 at byte 0."},
      {"d6ff00000000", "have extension types 1, 2 and 3 only; got type -1 at byte 0."},
      {"d5029201", "be whole; got 1 byte for 2 entries at byte 3."},
      {"d5029001", "end with its value; got 1 byte more at byte 3."},
      {"d40290", "have two numbers in a complex number; got a list of 0 at byte 2."},
      {"d40191", "have a shape, a dtype and elements in each array; got something else at byte 2."},
      {"c70e019390a5696e743939c40407000000", "have dtypes that Weft has; got 'int99' at byte 5."},
      {"c70f01939102a5696e743332c40407000000",
       "have as many elements in an array as its shape says; got 4 bytes for i32[2] at byte 12."},
      {"c70f019391ffa5696e743332c40407000000", "have sizes from 0 in each shape; got the integer -1 at byte 4."},
      {"c70c019390a5696e743332a3010203", "have bytes as the elements of an array; got something else at byte 11."},
      {"c70f019390a5696e743332c4040700000000", "end an array with its elements; got 1 byte more at byte 17."},
      {"c70f03939101a5696e743332c40407000000", "have scalars without dimensions; got i32[1] at byte 3."},
      {"81b95f5f6d73677061636b5f6368756e6b65645f61727261795f5fc3",
       "have a shape and chunks of one dtype; got no 'shape' at byte 0."},
  };
  for (const auto& c : cases)
    EXPECT_EQ(message_of<ParseError>([&] { msgpack_restore(bytes_of_hex(c.hex), "f"); }),
              std::string("msgpack_restore: f must ") + c.message)
        << c.hex;
  const std::vector<std::byte> deep(600, std::byte{0x91});
  EXPECT_EQ(message_of<ParseError>([&] { msgpack_restore(deep, "f"); }),
            "msgpack_restore: f must be nested at most 512 deep; got more at byte 513.");
}

TEST(msgpack, sizes_that_overflow_are_refused) {
  // [2^62, 4] of float32, without elements; and 2^62 x 0, which has as many elements but is no shape of ours.
  EXPECT_THROW(msgpack_restore(bytes_of_hex("c71b019392cf400000000000000004a7666c6f61743332c40000")), ParseError);
  EXPECT_THROW(msgpack_restore(bytes_of_hex("c718019392cf400000000000000000a7666c6f61743332c400")), ParseError);
}

TEST(msgpack, trees_that_do_not_fit_name_the_file) {
  EXPECT_EQ(message_of<TreeError>([] { from_bytes(np::zeros({2}), to_bytes(np::zeros({3})), "w.msgpack"); }),
            "from_bytes: w.msgpack must have the leaves of the target; got 1 difference:\n"
            "  mismatched the root, f32[3] for f32[2].");
}

}  // namespace
}  // namespace weft::train
