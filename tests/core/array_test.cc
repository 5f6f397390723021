#include "weft/core/array.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <numeric>
#include <sstream>
#include <type_traits>

#include "weft/runtime/client.h"
#include "weft/weft.h"

namespace weft {
namespace {

template <class F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const InternalError& e) {
    return "our fault: " + e.message();
  } catch (const Error& e) {
    return std::string(e.kind()) + ": " + e.message();
  }
  return "no error";
}

TEST(array, assignment_to_a_temporary_does_not_compile) {
  // x(0) = 1 would change a copy and nothing else.
  EXPECT_FALSE((std::is_assignable_v<Array, float>));
  EXPECT_FALSE((std::is_assignable_v<Array, Array>));
  EXPECT_TRUE((std::is_assignable_v<Array&, float>));
  EXPECT_TRUE((std::is_nothrow_assignable_v<Array&, Array>));
  EXPECT_TRUE((std::is_nothrow_move_constructible_v<Array>));
}

// ---- construction and reading ----

TEST(array, vectors_are_copied_in_and_out) {
  std::vector<float> data{1, 2, 3, 4, 5, 6};
  const Array flat(data), shaped = Array::from_vector(data, Dims{2, 3});
  data[0] = 99;
  EXPECT_EQ(flat.aval().str(), "f32[6]");
  EXPECT_EQ(shaped.aval().str(), "f32[2,3]");
  EXPECT_EQ(flat.to_vector<float>(), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  std::vector<float> out = shaped.to_vector<float>();
  out[0] = 98;
  EXPECT_EQ(shaped.to_vector<float>()[0], 1);
}

TEST(array, vectors_of_bool_are_arrays_of_bool) {
  const std::vector<bool> data{true, false, true, true, false, false, true, true, true};
  EXPECT_EQ(Array(data).aval().str(), "bool[9]");
  EXPECT_EQ(Array(data).to_vector<bool>(), data);
  EXPECT_EQ(Array::from_vector(data, Dims{3, 3})(1).to_vector<bool>(), (std::vector<bool>{true, false, false}));
}

TEST(array, spans_are_copied_in_and_out) {
  double data[] = {1.5, -2.5, 3.5, 4.5};
  const std::span<double> all(data);
  const Array x = np::array(all), y = Array::from_span<double>(all, Dims{2, 2});
  data[0] = 0;
  EXPECT_EQ(x.aval().str(), "f64[4]");
  EXPECT_EQ(y.aval().str(), "f64[2,2]");
  double out[4] = {};
  y.copy_to(std::span<double>(out));
  EXPECT_EQ(std::vector<double>(out, out + 4), (std::vector<double>{1.5, -2.5, 3.5, 4.5}));
  EXPECT_EQ(np::array(std::span<const double>(data).subspan(1)).to_vector<double>(),
            (std::vector<double>{-2.5, 3.5, 4.5}));
}

TEST(array, raw_memory_is_copied) {
  std::int16_t data[] = {1, -2, 3};
  const Array x = Array::copy(i16, Dims{3, 1}, data, 3);
  data[0] = 9;
  EXPECT_EQ(x.aval().str(), "i16[3,1]");
  EXPECT_EQ(x.to_vector<std::int16_t>(), (std::vector<std::int16_t>{1, -2, 3}));
  EXPECT_EQ(Array::copy(f32, Dims{0}, nullptr, 0).size(), 0);
  EXPECT_THROW(Array::copy(f32, Dims{2}, nullptr, 2), ValueError);
}

TEST(array, nested_lists_give_shape_and_dtype) {
  EXPECT_EQ(np::array({1, 2, 3}).aval().str(), "i32[3]");
  EXPECT_EQ(np::array({{1.0f, 2.0f}, {3.0f, 4.0f}}).aval().str(), "f32[2,2]");
  EXPECT_EQ(np::array({{{1.0}, {2.0}}}).aval().str(), "f64[1,2,1]");
  EXPECT_EQ(np::array({1, 2.5f}).aval().str(), "f32[2]");
  EXPECT_EQ(np::array({true, false}).aval().str(), "bool[2]");
  EXPECT_EQ(np::array({1, 2}, u8).aval().str(), "u8[2]");
  EXPECT_EQ(np::array({std::complex<float>(1, 2)}).aval().str(), "c64[1]");
  EXPECT_EQ(np::array({{1, 2, 3}, {4, 5, 6}}).to_vector<int>(), (std::vector<int>{1, 2, 3, 4, 5, 6}));
}

TEST(array, ragged_lists_are_refused) {
  for (const auto& ragged : {+[] { np::array({{1, 2}, {3}}); }, +[] { np::array({{1}, {2, 3}}); },
                             +[] { np::array({{{1}, {2}}, {{3}, {4, 5}}}); }, +[] { np::array({{1, 2}, 3}); },
                             +[] { np::array({1, {2, 3}}); }, +[] { np::array({{{1}}, {2}}); }})
    EXPECT_EQ(error_of(ragged).find("ShapeError: array: rows must have equal lengths and depths; got a ragged list"),
              0u)
        << error_of(ragged);
}

TEST(array, counts_that_are_not_the_shapes_are_refused) {
  const std::vector<float> six(6);
  EXPECT_EQ(error_of([&] { Array::from_vector(six, Dims{4}); }),
            "ShapeError: array: the number of elements must be that of the shape; got 6 elements for shape [4].");
  EXPECT_EQ(error_of([&] { Array::from_vector(six, Dims{2, 0}); }).find("ShapeError"), 0u);
  EXPECT_EQ(error_of([&] { Array::from_span(std::span<const float>(six), Dims{-6}); }).find("ShapeError"), 0u);
  EXPECT_EQ(error_of([&] { Array::copy(f32, Dims{std::int64_t{1} << 62, 8}, six.data(), 0); }).find("ShapeError"), 0u);
  std::vector<float> five(5);
  const Array x(six);
  EXPECT_EQ(error_of([&] { x.copy_to(std::span(five)); }),
            "ShapeError: copy_to: the destination must have as many elements as the array; got 5 for f32[6].");
  EXPECT_EQ(error_of([&] { x.to_vector<double>(); }),
            "DTypeError: to_vector: the C++ type must match the dtype; got f64 for f32[6].");
}

TEST(array, cpp_integers_keep_their_width) {
  EXPECT_EQ(Array(char{1}).dtype(), std::is_signed_v<char> ? i8 : u8);
  EXPECT_EQ(Array(static_cast<unsigned char>(1)).dtype(), u8);
  EXPECT_EQ(Array(short{1}).dtype(), i16);
  EXPECT_EQ(Array(1).dtype(), i32);
  EXPECT_EQ(Array(1u).dtype(), u32);
  EXPECT_EQ(Array(1L).dtype(), sizeof(long) == 8 ? i64 : i32);
  EXPECT_EQ(Array(1LL).dtype(), i64);
  EXPECT_EQ(Array(std::size_t{1}).dtype(), u64);
  EXPECT_EQ(Array(std::vector<long long>{1}).dtype(), i64);
  EXPECT_EQ(Array(~std::uint64_t{0}).item<std::uint64_t>(), ~std::uint64_t{0});
  EXPECT_EQ(Array(std::numeric_limits<std::int64_t>::min()).item<std::int64_t>(),
            std::numeric_limits<std::int64_t>::min());
}

TEST(array, scalars_have_one_element_and_no_axes) {
  const Array x(2.5f);
  EXPECT_EQ(x.aval().str(), "f32[]");
  EXPECT_EQ(x.size(), 1);
  EXPECT_EQ(x.ndim(), 0);
  EXPECT_EQ(x.to_vector<float>(), std::vector<float>{2.5f});
  EXPECT_EQ(x.item<float>(), 2.5f);
  EXPECT_EQ(error_of([&] { x.shape(0); }), "IndexError: shape: axis must be in [0, 0); got 0 for f32[].");
}

TEST(array, sizes_of_zero_hold_nothing) {
  const Array x = Array::from_vector(std::vector<float>(), Dims{3, 0, 2});
  EXPECT_EQ(x.size(), 0);
  EXPECT_EQ(x.nbytes(), 0);
  EXPECT_EQ(x.to_vector<float>(), std::vector<float>());
  x.copy_to(std::span<float>());
  EXPECT_EQ(x.astype(i32).aval().str(), "i32[3,0,2]");
  EXPECT_EQ((x + 1.0f).aval().str(), "f32[3,0,2]");
  EXPECT_EQ(Array(std::vector<int>()).aval().str(), "i32[0]");
  EXPECT_EQ(error_of([&] { x.item<float>(); }),
            "ShapeError: item: the array must have exactly one element; got f32[3,0,2].");
}

TEST(array, says_what_it_is) {
  const Array x = np::zeros({2, 3, 4}, f16);
  EXPECT_EQ(x.ndim(), 3);
  EXPECT_EQ(x.size(), 24);
  EXPECT_EQ(x.nbytes(), 48);
  EXPECT_EQ(x.shape(0), 2);
  EXPECT_EQ(x.shape(-1), 4);
  EXPECT_EQ(x.shape(-3), 2);
  EXPECT_EQ(x.device(), "cpu:0");
  for (const int axis : {3, -4})
    EXPECT_EQ(error_of([&] { x.shape(axis); }),
              "IndexError: shape: axis must be in [-3, 3); got " + std::to_string(axis) + " for f16[2,3,4].");
}

TEST(array, none_is_no_value) {
  const Array none;
  EXPECT_FALSE(none.defined());
  EXPECT_TRUE(none.identical(Array()));
  EXPECT_FALSE(none.identical(Array(1)));
  for (const auto& use :
       {+[](const Array& a) { a.aval(); }, +[](const Array& a) { (void)a.size(); },
        +[](const Array& a) { (void)a.to_vector<float>(); }, +[](const Array& a) { a.item<int>(); },
        +[](const Array& a) { (void)static_cast<bool>(a); }, +[](const Array& a) { (void)a.device(); },
        +[](const Array& a) { a.astype(f32); }, +[](const Array& a) { a(0); }})
    EXPECT_EQ(error_of([&] { use(none); }).find("ValueError"), 0u) << error_of([&] { use(none); });
}

// ---- sharing ----

TEST(array, copies_share_the_buffer) {
  const Array x = np::arange(1000);
  const std::int64_t before = default_client().memory_stats().live_bytes;
  std::vector<Array> copies(10'000, x);
  Array assigned;
  assigned = copies.back();
  EXPECT_EQ(default_client().memory_stats().live_bytes, before);
  EXPECT_TRUE(assigned.identical(x));
  EXPECT_EQ(assigned.buffer()->data(), x.buffer()->data());
  copies.clear();
  EXPECT_EQ(assigned.to_vector<int>()[999], 999);
  Array moved = std::move(assigned);
  EXPECT_TRUE(moved.identical(x));
}

TEST(array, operators_that_assign_leave_copies_alone) {
  Array x = np::array({1, 2, 3});
  const Array old = x;
  x += 1;
  x *= old;
  EXPECT_EQ(x.to_vector<int>(), (std::vector<int>{2, 6, 12}));
  EXPECT_EQ(old.to_vector<int>(), (std::vector<int>{1, 2, 3}));
}

TEST(array, memory_is_given_back_with_the_last_array) {
  const std::int64_t before = default_client().memory_stats().live_bytes;
  {
    const Array x = np::arange(100'000) + 1;
    const Array y = x;
    EXPECT_GE(default_client().memory_stats().live_bytes, before + 400'000);
  }
  EXPECT_EQ(default_client().memory_stats().live_bytes, before);
}

TEST(array, repeated_values_take_the_memory_of_one) {
  const std::int64_t before = default_client().memory_stats().live_bytes;
  const Array x = Array::full(Dims{1000, 1000}, f64, Scalar(2.5));
  EXPECT_LT(default_client().memory_stats().live_bytes, before + 4096);
  EXPECT_EQ(x.nbytes(), 8'000'000);
  const std::vector<double> all = x(slice(0, 2), slice(0, 3)).to_vector<double>();
  EXPECT_EQ(all, std::vector<double>(6, 2.5));
  EXPECT_EQ(x(999, 999).item<double>(), 2.5);
}

// ---- borrowed memory ----

struct Owner {
  explicit Owner(int& releases) : count(&releases) {}
  Owner(const Owner&) = delete;
  ~Owner() { ++*count; }
  alignas(64) float data[6] = {1, 2, 3, 4, 5, 6};
  int* count;
};

TEST(borrow, uses_the_memory_in_place_until_the_last_array_dies) {
  int releases = 0;
  {
    Array kept;
    {
      auto owner = std::make_shared<Owner>(releases);
      const float* data = owner->data;
      const Array x = Array::borrow(f32, Dims{2, 3}, data, std::move(owner));
      EXPECT_EQ(x.buffer()->data(), data);
      EXPECT_EQ(x.to_vector<float>(), (std::vector<float>{1, 2, 3, 4, 5, 6}));
      const Array y = x;
      kept = np::reshape(y, {3, 2});
      EXPECT_EQ(releases, 0);
    }
    EXPECT_EQ(kept(2).to_vector<float>(), (std::vector<float>{5, 6}));
  }
  EXPECT_EQ(releases, 1);
}

TEST(borrow, releases_the_owner_when_captured_programs_die) {
  int releases = 0;
  {
    auto owner = std::make_shared<Owner>(releases);
    const float* data = owner->data;
    const Array w = Array::borrow(f32, Dims{6}, data, owner);
    owner.reset();
    auto f = jit([w](Array x) { return np::sum(w * x); });
    EXPECT_EQ(f(np::ones({6})).item<float>(), 21);
    EXPECT_EQ(f(np::ones({6})).item<float>(), 21);
    EXPECT_EQ(grad(f)(np::ones({6})).to_vector<float>(), (std::vector<float>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(releases, 0);
  }
  EXPECT_EQ(releases, 1);
}

TEST(borrow, never_writes_to_the_memory) {
  int releases = 0;
  auto owner = std::make_shared<Owner>(releases);
  const Array x = Array::borrow(f32, Dims{6}, owner->data, owner);
  const auto work = [](Array a) { return np::sin(a.at(0).set(7.0f) * 2.0f + a) - a; };
  work(x);
  jit(work)(x);
  Array y = x;
  y += 1.0f;
  for (int i = 0; i < 6; ++i) EXPECT_EQ(owner->data[i], static_cast<float>(i + 1));
}

TEST(borrow, takes_nothing_that_is_null_or_misaligned) {
  alignas(8) std::byte bytes[64] = {};
  EXPECT_EQ(error_of([&] { Array::borrow(f32, Dims{2}, nullptr, nullptr); }),
            "ValueError: borrow: the memory must not be null; got a null pointer for f32[2].");
  EXPECT_EQ(error_of([&] { Array::borrow(f32, Dims{2}, bytes + 2, nullptr); }),
            "ValueError: borrow: the memory must be aligned for f32; got an address that is not a multiple of 4.");
  EXPECT_EQ(error_of([&] { Array::borrow(c128, Dims{2}, bytes + 4, nullptr); }).find("ValueError"), 0u);
  EXPECT_EQ(Array::borrow(u8, Dims{2}, bytes + 3, nullptr).to_vector<std::uint8_t>(),
            (std::vector<std::uint8_t>{0, 0}));
  EXPECT_EQ(Array::borrow(f32, Dims{0}, nullptr, nullptr).size(), 0);
  // Memory of no owner is the caller's to keep.
  const float two[] = {1, 2};
  EXPECT_EQ((Array::borrow(f32, Dims{2}, two, nullptr) + 1.0f).to_vector<float>(), (std::vector<float>{2, 3}));
}

TEST(borrow, works_for_memory_that_vectors_cannot_load_aligned) {
  std::vector<float> data(1001);
  std::iota(data.begin(), data.end(), 0.0f);
  const Array x = Array::borrow(f32, Dims{1000}, data.data() + 1, nullptr);
  EXPECT_EQ(np::sum(x + x).item<float>(), 2 * 500500.0f);
}

TEST(borrow, an_error_in_construction_releases_the_owner) {
  int releases = 0;
  auto owner = std::make_shared<Owner>(releases);
  const float* data = owner->data;
  EXPECT_THROW(Array::borrow(f32, Dims{-1}, data, std::move(owner)), ShapeError);
  owner.reset();
  EXPECT_EQ(releases, 1);
}

// ---- one element ----

TEST(array, items_convert_to_any_type) {
  EXPECT_EQ(Array(2.75).item<int>(), 2);
  EXPECT_EQ(Array(-1).item<double>(), -1.0);
  EXPECT_EQ(Array(-2.75).item<int>(), -2);
  EXPECT_EQ(Array(300).item<std::uint8_t>(), 44);
  EXPECT_EQ(Array(-1.5f).item<std::uint8_t>(), 0);
  EXPECT_EQ(Array(1e30f).item<int>(), std::numeric_limits<int>::max());
  EXPECT_EQ(Array(std::numeric_limits<float>::quiet_NaN()).item<std::int64_t>(), 0);
  EXPECT_TRUE(Array(0.5f).item<bool>());
  EXPECT_EQ(error_of([] { Array(std::complex<float>(1, 0)).item<float>(); }),
            "DTypeError: item: a complex number is not real; got f32 for c64[].");
  EXPECT_TRUE(Array(std::complex<float>(0, 2)).item<bool>());
  EXPECT_EQ(Array(std::complex<float>(1, 2)).item<std::complex<double>>(), std::complex<double>(1, 2));
  EXPECT_EQ(Array(3).item<std::complex<double>>(), std::complex<double>(3, 0));
  EXPECT_EQ(static_cast<float>(Array(1.0 + 1.0 / 4096).item<float16>()), 1.0f);
  EXPECT_EQ(np::array({{{5}}}).item<int>(), 5);
  EXPECT_EQ(error_of([] { np::array({1, 2}).item<int>(); }),
            "ShapeError: item: the array must have exactly one element; got i32[2].");
}

TEST(array, truth_is_that_of_one_element) {
  EXPECT_TRUE(static_cast<bool>(Array(true)));
  EXPECT_FALSE(static_cast<bool>(Array(0)));
  EXPECT_FALSE(static_cast<bool>(Array(-0.0f)));
  EXPECT_TRUE(static_cast<bool>(Array(std::numeric_limits<float>::quiet_NaN())));
  EXPECT_TRUE(static_cast<bool>(Array(std::complex<float>(0, 1))));
  EXPECT_FALSE(static_cast<bool>(Array(std::complex<double>(0, 0))));
  EXPECT_TRUE(static_cast<bool>(np::array({{2}})));
  EXPECT_TRUE(static_cast<bool>(Array(float16::from_bits(1))));
  EXPECT_EQ(error_of([] { (void)static_cast<bool>(np::array({1, 1})); }),
            "ShapeError: bool: an array must have exactly one element to be true or false; got i32[2].");
  EXPECT_EQ(error_of([] { (void)static_cast<bool>(np::zeros({0})); }),
            "ShapeError: bool: an array must have exactly one element to be true or false; got f32[0].");
}

// ---- storage types ----

TEST(storage_types, small_floats_go_in_and_come_out_as_their_cpp_types) {
  const std::vector<float8_e4m3fn> in{float8_e4m3fn(1.5), float8_e4m3fn(-448.0), float8_e4m3fn(0.001953125)};
  const Array x(in);
  EXPECT_EQ(x.aval().str(), "f8e4m3fn[3]");
  const auto out = x.to_vector<float8_e4m3fn>();
  for (std::size_t i = 0; i < in.size(); ++i) EXPECT_EQ(out[i].bits, in[i].bits);
  EXPECT_EQ(x(1).item<float>(), -448.0f);
  EXPECT_EQ(x(0).item<int>(), 1);
  EXPECT_EQ(x.astype(f32).to_vector<float>(), (std::vector<float>{1.5f, -448.0f, 0.001953125f}));
  EXPECT_THROW(x.to_vector<float>(), DTypeError);
  EXPECT_EQ(Array(float4_e2m1fn(6.0)).aval().str(), "f4e2m1fn[]");
}

TEST(storage_types, small_integers_go_in_and_come_out_as_bytes) {
  const std::int8_t bytes[] = {7, -8, 0x12, -1};  // 0x12: only the low bits count
  const Array x = Array::copy(i4, Dims{4}, bytes, 4);
  EXPECT_EQ(x.to_vector<std::int8_t>(), (std::vector<std::int8_t>{7, -8, 2, -1}));
  const std::uint8_t pairs[] = {3, 0xfd};
  const Array y = Array::copy(u2, Dims{2}, pairs, 2);
  EXPECT_EQ(y.to_vector<std::uint8_t>(), (std::vector<std::uint8_t>{3, 1}));
  EXPECT_THROW(y.to_vector<std::int8_t>(), DTypeError);
  // Borrowed memory may have other bits above the value too, and is copied.
  const auto owner = std::make_shared<std::vector<std::int8_t>>(std::vector<std::int8_t>{0x7f, 0x18});
  const Array z = Array::borrow(i4, Dims{2}, owner->data(), owner);
  EXPECT_EQ(z.to_vector<std::int8_t>(), (std::vector<std::int8_t>{-1, -8}));
}

TEST(storage_types, filling_rounds_and_refuses_what_does_not_fit) {
  EXPECT_EQ(Array::full(Dims{2}, f8e5m2, Scalar(1.1)).astype(f32).to_vector<float>(), (std::vector<float>{1, 1}));
  EXPECT_EQ(Array::full({}, i4, Scalar(-8)).item<int>(), -8);
  EXPECT_EQ(Array::full({}, u4, Scalar(15)).item<int>(), 15);
  EXPECT_THROW(Array::full({}, i4, Scalar(8)), ValueError);
  EXPECT_THROW(Array::full({}, u4, Scalar(99.5)), ValueError);
  EXPECT_THROW(Array::full({}, u2, Scalar(-1)), ValueError);
}

TEST(storage_types, program_text_keeps_their_values) {
  const auto f = [](Array x) { return lax::add(x, 1.5); };
  EXPECT_NE(std::string(make_jaxpr(f)(Array(float8_e5m2(1.0))).str()).find("add a 1.5:f8e5m2[]"), std::string::npos);
}

TEST(array, the_truth_of_a_complex_number_regards_both_parts) {
  EXPECT_TRUE(static_cast<bool>(Array(std::complex<float>(0, 1))));
  EXPECT_FALSE(static_cast<bool>(Array(std::complex<double>(0, 0))));
  EXPECT_TRUE(Array(std::complex<float>(0, 1)).item<bool>());
  EXPECT_TRUE(Array(std::complex<float>(0, 1)).astype(boolean).item<bool>());
  EXPECT_FALSE(lax::convert(Array(std::complex<float>(0, 1)), boolean).item<bool>());
}

TEST(array, shapes_are_written_in_braces_or_taken_from_any_sequence) {
  const std::vector<float> data{1, 2, 3, 4, 5, 6};
  EXPECT_EQ(Array::from_vector(data, {2, 3}).aval().str(), "f32[2,3]");
  EXPECT_EQ(Array::from_vector(data, {data.size() / 2, 2}).aval().str(), "f32[3,2]");
  EXPECT_EQ(Array::copy(f32, {3, 2}, data.data(), data.size()).aval().str(), "f32[3,2]");
  EXPECT_EQ(Array::borrow(f32, {6, 1}, data.data(), nullptr).aval().str(), "f32[6,1]");
  EXPECT_EQ(Array::full({2}, i32, 7).aval().str(), "i32[2]");
  EXPECT_EQ(Array::full({}, i32, 7).aval().str(), "i32[]");
  EXPECT_EQ(Array::from_vector(data, std::vector<int>{2, 3}).aval().str(), "f32[2,3]");
  EXPECT_EQ(Array::from_vector(data, std::array<unsigned, 2>{2, 3}).aval().str(), "f32[2,3]");
  const short sizes[] = {1, 6};
  EXPECT_EQ(Array::from_vector(data, sizes).aval().str(), "f32[1,6]");
  EXPECT_EQ(Array::from_vector(data, Array::from_vector(data, {3, 2}).shape()).aval().str(), "f32[3,2]");
  const std::array<double, 4> four{1, 2, 3, 4};
  EXPECT_EQ(Array::from_span(std::span(four), {2, 2}).aval().str(), "f64[2,2]");
  EXPECT_EQ(Array::from_span(std::span<const float>(data), {6}).aval().str(), "f32[6]");
  EXPECT_FALSE((std::is_convertible_v<const char*, Shape> || std::is_convertible_v<std::string, Shape> ||
                std::is_convertible_v<bool, Shape> || std::is_convertible_v<double, Shape>));
  EXPECT_EQ(error_of([&] { Array::from_vector(data, {4}); }),
            "ShapeError: array: the number of elements must be that of the shape; got 6 elements for shape [4].");
}

TEST(array, a_shape_prints_as_a_tuple_and_compares) {
  const auto printed = [](const Array& x) {
    std::ostringstream out;
    out << x.shape();
    return out.str();
  };
  EXPECT_EQ(printed(np::zeros({2, 3})), "(2, 3)");
  EXPECT_EQ(printed(np::zeros({3})), "(3,)");
  EXPECT_EQ(printed(Array(1)), "()");
  EXPECT_TRUE(np::zeros({2, 3}).shape() == np::ones({2, 3}).shape());
  EXPECT_TRUE(np::zeros({2, 3}).shape() == Shape({2, 3}));
  EXPECT_TRUE(np::zeros({2, 3}).shape() != Shape({3, 2}));
  const DimSpan span = np::zeros({2, 3}).shape();
  EXPECT_EQ(span.size(), 2u);
}

TEST(array, elements_are_copied_to_any_container_of_the_right_size) {
  const Array x = np::array({1.f, 2.f, 3.f});
  std::vector<float> vector(3);
  x.copy_to(vector);
  EXPECT_EQ(vector, (std::vector<float>{1, 2, 3}));
  std::array<float, 3> array{};
  x.copy_to(array);
  EXPECT_EQ(array[2], 3);
  float raw[3] = {};
  x.copy_to(raw);
  EXPECT_EQ(raw[1], 2);
  std::vector<float> longer(4);
  x.copy_to(std::span(longer).subspan<1, 3>());
  EXPECT_EQ(longer, (std::vector<float>{0, 1, 2, 3}));
  EXPECT_EQ(error_of([&] { x.copy_to(longer); }),
            "ShapeError: copy_to: the destination must have as many elements as the array; got 4 for f32[3].");
  std::vector<double> doubles(3);
  EXPECT_EQ(error_of([&] { x.copy_to(doubles); }),
            "DTypeError: copy_to: the C++ type must match the dtype; got f64 for f32[3].");
}

TEST(array, elements_are_read_in_place_and_stay_while_they_are_viewed) {
  Array x = np::arange(6) * 1;
  const void* memory = x.buffer()->data();
  const Elements<int> view = x.elements<int>();
  EXPECT_EQ(view.data(), memory);
  x = Array();
  EXPECT_EQ(std::accumulate(view.begin(), view.end(), 0), 15);
  EXPECT_EQ(view.size(), 6u);
  EXPECT_EQ(view[5], 5);
  const std::span<const int> span = view;
  EXPECT_EQ(span.back(), 5);
  // Stored as one element, viewed as all.
  const Elements<float> ones = np::ones({2, 2}).elements<float>();
  EXPECT_EQ(std::vector<float>(ones.begin(), ones.end()), (std::vector<float>{1, 1, 1, 1}));
  EXPECT_TRUE(np::array({true, false}).elements<bool>()[0]);
  EXPECT_EQ(error_of([] { np::ones({2}).elements<double>(); }),
            "DTypeError: elements: the C++ type must match the dtype; got f64 for f32[2].");
  EXPECT_EQ(error_of([] {
              jit([](Array t) {
                t.elements<float>();
                return t;
              })(1.0f);
            }).substr(0, 63),
            "ConcretizationError: elements: the array's value must be known;");
}

TEST(array, a_viewed_buffer_is_not_written_over) {
  // The program may reuse the memory of a value that it alone holds; a view holds it too.
  const Array x = np::arange(4) * 1;
  std::optional<Elements<int>> view;
  {
    const Array y = x + 1;
    view = y.elements<int>();
  }
  const auto twice = jit([](Array v) { return (v + 1) * 2 + v; });
  for (int i = 0; i < 3; ++i) twice(x);
  EXPECT_EQ(std::vector<int>(view->begin(), view->end()), (std::vector<int>{1, 2, 3, 4}));
}

}  // namespace
}  // namespace weft
