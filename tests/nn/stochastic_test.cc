// Dropout: what is kept, by which key, and how often.
#include "nn/stochastic.h"

#include "nn/checks.h"

namespace weft::nn {
namespace {

using namespace testing;

const Array kKey = random::key(7);

const Rngs kRngs{{"dropout", kKey}};

TEST(dropout, keeps_by_the_key_of_its_stream) {
  const Array x = draw({4, 5}, 1, f32);
  const Dropout layer{.rate = 0.4, .deterministic = false};
  const Array key = random::fold_in(kKey, detail::path_hash("", 1));
  const Array want = np::where(random::bernoulli(key, 0.6, {4, 5}), x / 0.6, 0);
  EXPECT_TRUE(near(layer.apply({}, {.rngs = kRngs}, x), want, 0));
}

TEST(dropout, keeps_by_the_key_it_is_handed) {
  const Array x = draw({4, 5}, 1, f32);
  const Array want = np::where(random::bernoulli(kKey, 0.6, {4, 5}), x / 0.6, 0);
  EXPECT_TRUE(near(Dropout{.rate = 0.4}.apply({}, x, false, kKey), want, 0));
}

TEST(dropout, keeps_the_mean) {
  const Array y = Dropout{.rate = 0.25, .deterministic = false}.apply({}, {.rngs = kRngs}, np::ones({200, 200}));
  EXPECT_NEAR(np::mean(y).item<double>(), 1, 0.01);
  EXPECT_NEAR(np::mean((y == 0).astype(f32)).item<double>(), 0.25, 0.01);
}

TEST(dropout, of_broadcast_axes_draws_once) {
  const Dropout layer{.rate = 0.5, .broadcast_dims = {0, -1}, .deterministic = false};
  const Array y = layer.apply({}, {.rngs = kRngs}, np::ones({3, 40, 2}));
  EXPECT_TRUE(near(y, np::broadcast_to(y(slice(0, 1), slice(), slice(0, 1)), {3, 40, 2})));
  EXPECT_GT(np::sum(y(0, slice(), 0)).item<double>(), 0);
  EXPECT_LT(np::sum(y(0, slice(), 0)).item<double>(), 80);
}

TEST(dropout, does_nothing_when_deterministic_and_all_at_rate_1) {
  const Array x = draw({3}, 1, f32);
  EXPECT_TRUE(near(Dropout{.rate = 0.5, .deterministic = true}.apply({}, x), x, 0));
  EXPECT_TRUE(near(Dropout{.rate = 0.5}.apply({}, x, true), x, 0));
  EXPECT_TRUE(near(Dropout{.rate = 0}.apply({}, x, false), x, 0));
  EXPECT_TRUE(near(Dropout{.rate = 1}.apply({}, x, false), Doubles(3, 0)));
  const Array g = grad([](const Array& a) { return np::sum(Dropout{.rate = 1}.apply({}, a, false)); })(x);
  EXPECT_TRUE(near(g, Doubles(3, 0)));
}

TEST(dropout, has_the_gradient_of_what_is_kept) {
  const Dropout layer{.rate = 0.4, .deterministic = false};
  expect_gradient([&](const Array& a) { return loss_of(layer.apply({}, {.rngs = kRngs}, a)); }, draw({3, 3}, 1));
}

struct Twice : Module<Twice> {
  Array call(const Array& x) const {
    const Dropout layer{.rate = 0.5, .deterministic = false, .rng_collection = "noise"};
    const Array first = layer(x);
    const Array second = layer(x);
    return np::stack({first, second});
  }
};
TEST(dropout, draws_anew_in_each_call) {
  const Array y = Twice{}.apply({}, {.rngs = {{"noise", kKey}}}, np::ones({64}));
  EXPECT_FALSE(np::array_equal(y(0), y(1)).item<bool>());
}

TEST(dropout, is_the_same_under_jit_and_keeps_types) {
  const Dropout layer{.rate = 0.4, .deterministic = false};
  const auto f = [&](const Array& key, const Array& x) { return layer.apply({}, {.rngs = {{"dropout", key}}}, x); };
  const Array x = draw({4, 5}, 1, f32);
  EXPECT_TRUE(near(weft::jit(f)(kKey, x), f(kKey, x), 1e-6));
  EXPECT_EQ(f(kKey, np::ones({2}, bf16)).dtype(), bf16);
}

TEST(dropout, refuses_what_it_cannot_do) {
  const Array x = np::ones({2});
  EXPECT_EQ(error_of([&] { Dropout{.rate = 0.5}.apply({}, x); }),
            "ValueError: dropout: deterministic must be given once, as a member or as an argument of the call; got "
            "neither.");
  EXPECT_EQ(error_of([&] { Dropout{.rate = 0.5, .deterministic = true}.apply({}, x, true); }),
            "ValueError: dropout: deterministic must be given once, as a member or as an argument of the call; got "
            "both.");
  EXPECT_EQ(error_of([&] { Dropout{.rate = 1.5}.apply({}, x, true); }),
            "ValueError: dropout: the rate must be in [0, 1]; got 1.5.");
  EXPECT_EQ(error_of([&] { Dropout{.rate = 0.5}.apply({}, x, false); }),
            "nn::InvalidRngError: make_rng: there must be a key for the stream \"dropout\"; got none.");
  EXPECT_EQ(error_of([&] { Dropout{.rate = 0.5}.apply({}, {.rngs = kRngs}, np::ones({2}, i32), false); }),
            "DTypeError: dropout: the input must be float or complex; got i32[2].");
  EXPECT_EQ(error_of([&] { Dropout{.rate = 0.5, .broadcast_dims = 3}.apply({}, {.rngs = kRngs}, x, false); }),
            "IndexError: dropout: axis must be in [-1, 1); got 3 for f32[2].");
}

}  // namespace
}  // namespace weft::nn
