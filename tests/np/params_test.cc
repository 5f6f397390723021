// What passes for a count, a shift, a seed, a tolerance or a flag, and what merely converts to one.
#include "weft/np/params.h"

#include "np/expect.h"

namespace weft {
namespace {

using testing::message_of;

template <class T>
concept Count = requires(Array x, Array key, T n) {
  np::linspace(0, 1, n);
  np::eye(n);
  np::eye(3, n);
  np::identity(n);
  np::tri(3, 3, n);
  np::tril(x, n);
  np::diag(x, n);
  np::diagonal(x, n);
  np::trace(x, n);
  np::roll(x, n);
  np::rot90(x, n);
  np::diff(x, n);
  np::round(x, n);
  np::pad(x, n);
  np::var(x, {}, false, n);
  np::var(x, {}, {.ddof = n});
  np::split(x, n);
  np::array_split(x, n);
  random::key(n);
  random::split(key, n);
  random::permutation(key, n);
};
// One by one: a concept of all would not see a single one that takes too much.
template <class T>
concept PointsOf = requires(T n) { np::linspace(0, 1, n); };
template <class T>
concept RowsOf = requires(T n) { np::eye(n); };
template <class T>
concept ColumnsOf = requires(T n) { np::eye(3, n); };
template <class T>
concept RollsBy = requires(Array x, T n) { np::roll(x, n); };
template <class T>
concept PadsBy = requires(Array x, T n) { np::pad(x, n); };
template <class T>
concept RoundsTo = requires(Array x, T n) { np::round(x, n); };
template <class T>
concept PartsOf = requires(Array x, T n) { np::split(x, n); };
template <class T>
concept NearlyEqualPartsOf = requires(Array x, T n) { np::array_split(x, n); };
template <class T>
concept SeedOf = requires(T n) { random::key(n); };
template <class T>
concept KeysOf = requires(Array key, T n) { random::split(key, n); };
template <class T>
constexpr bool no_count = !PointsOf<T> && !RowsOf<T> && !ColumnsOf<T> && !RollsBy<T> && !PadsBy<T> && !RoundsTo<T> &&
                          !PartsOf<T> && !NearlyEqualPartsOf<T> && !SeedOf<T> && !KeysOf<T>;

TEST(params, a_count_is_an_integer_of_any_type) {
  EXPECT_TRUE(Count<int> && Count<long> && Count<short> && Count<unsigned> && Count<std::size_t>);
  EXPECT_TRUE(no_count<double> && no_count<float> && no_count<bool>);
  const std::size_t n = 2;
  EXPECT_EQ(np::eye(n, n).aval().str(), "f32[2,2]");
  EXPECT_EQ(random::permutation(random::key(n), n).aval().str(), "i32[2]");
}

TEST(params, unsigned_numbers_do_not_wrap_round) {
  EXPECT_EQ(message_of<ValueError>([] { random::key(18446744073709551615ull); }),
            "integer: a count, position or seed must be below 2^63; got 18446744073709551615.");
  EXPECT_EQ(message_of<ValueError>([] { np::roll(np::ones({3}), std::vector<int>().size() - 1); }),
            "integer: a count, position or seed must be below 2^63; got 18446744073709551615.");
  EXPECT_EQ(random::key(9223372036854775807ull).to_vector<std::uint32_t>(),
            (std::vector<std::uint32_t>{2147483647, 4294967295}));
}

template <class T>
concept EndPointBy = requires(T b) { np::linspace(0, 1, 5, b); };
template <class T>
concept EqualNanBy = requires(Array x, T b) { np::array_equal(x, x, b); };
template <class T>
concept KeepsDims = requires(Array x, T b) { np::sum(x, 0, {.keepdims = b}); };
template <class T>
concept Tolerance = requires(Array x, T t) { np::allclose(x, x, t); };

TEST(params, a_flag_is_a_bool_and_a_tolerance_none) {
  EXPECT_TRUE(EndPointBy<bool> && EqualNanBy<bool> && KeepsDims<bool>);
  EXPECT_FALSE(EndPointBy<int> || EqualNanBy<int> || EqualNanBy<double> || KeepsDims<int>);
  EXPECT_TRUE(Tolerance<double> && Tolerance<float> && Tolerance<int>);
  EXPECT_FALSE(Tolerance<bool>);
}

}  // namespace
}  // namespace weft
