#include "optim/microbatch.h"

#include <gtest/gtest.h>

#include "harness/errors.h"
#include "weft/weft.h"

namespace weft::optim {
namespace {

using testing::error_of;

TEST(microbatch, gives_the_published_results) {
  const auto f = [](const Array& x) { return std::pair(x + 1, np::sum(3 * x)); };
  const auto g = microbatch(f, {0}, 2, std::pair(Accumulation::kConcat, Accumulation::kSum));
  const auto [next, sum] = g(np::array({1, 2, 3, 4}));
  EXPECT_EQ(next.to_vector<int>(), (std::vector<int>{2, 3, 4, 5}));
  EXPECT_EQ(sum.item<int>(), 30);
}

struct Dense {
  Array w, b;
};
Array loss(const Dense& m, const Array& x, const std::vector<Array>& y) {
  return np::mean(np::square(np::matmul(x, m.w) + m.b - y[0]));
}
TEST(microbatch, of_a_gradient_is_the_gradient_of_the_batch) {
  const Dense m{random::normal(random::key(0), {3, 2}, f64), random::normal(random::key(1), {2}, f64)};
  const Array x = random::normal(random::key(2), {12, 3}, f64);
  const std::vector<Array> y{random::normal(random::key(3), {12, 2}, f64)};
  const auto whole = value_and_grad(loss);
  const auto [value, g] = whole(m, x, y);
  for (const std::int64_t size : {1, 3, 4, 12}) {
    const auto parts = microbatch(whole, {1, 2}, size, Accumulation::kMean);
    const auto compiled = jit([&](Dense m, Array x, std::vector<Array> y) { return parts(m, x, y); });
    for (const auto& [v, h] : {parts(m, x, y), compiled(m, x, y)}) {
      EXPECT_NEAR(v.item<double>(), value.item<double>(), 1e-12) << size;
      EXPECT_TRUE(np::allclose(h.w, g.w, 1e-12).item<bool>()) << size;
      EXPECT_TRUE(np::allclose(h.b, g.b, 1e-12).item<bool>()) << size;
    }
  }
}
TEST(microbatch, sees_the_batch_in_parts_alone) {
  std::vector<std::string> seen;
  const auto f = [&seen](const Array& x, const Array& y) {
    seen.push_back(x.aval().str() + " " + y.aval().str());
    return np::sum(x) * y(0);
  };
  EXPECT_EQ(microbatch(f, {0}, 2)(np::ones({6, 3}), np::ones({6})).item<float>(), 18);
  for (const std::string& types : seen) EXPECT_EQ(types, "f32[2,3] f32[6]");
}
TEST(microbatch, sums_16_bits_in_f32) {
  // In bf16 the sum would stay at 256.
  const Array sum = microbatch([](const Array& x) { return np::sum(x); }, {0}, 1)(np::ones({1000}).astype(bf16));
  EXPECT_EQ(sum.dtype(), bf16);
  EXPECT_EQ(sum.item<double>(), 1000);
}
TEST(microbatch, has_derivatives) {
  const auto total = [](const Array& x) {
    return microbatch([](const Array& part) { return np::sum(np::square(part)); }, {0}, 2)(x);
  };
  EXPECT_EQ(grad(total)(np::array({1.f, 2.f, 3.f, 4.f})).to_vector<float>(), (std::vector<float>{2, 4, 6, 8}));
}
TEST(microbatch, refuses_what_cannot_be_divided) {
  const auto f = [](const Array& x, const Array& y) { return np::sum(x) + np::sum(y); };
  EXPECT_EQ(error_of([&] { microbatch(f, {0, 1}, 0); }),
            "ValueError: microbatch: microbatch_size must be 1 or more; got 0.");
  EXPECT_EQ(error_of([&] { microbatch(f, {0, 1}, 2)(np::ones({4}), np::ones({6})); }),
            "ShapeError: microbatch: batches must have one size along the first axes; got f32[4] and f32[6].");
  EXPECT_EQ(error_of([&] { microbatch(f, {0}, 3)(np::ones({4}), np::ones({6})); }),
            "ValueError: microbatch: a batch must be a positive multiple of microbatch_size, 3; got f32[4].");
  EXPECT_EQ(error_of([&] { microbatch(f, {0}, 3)(np::ones({0}), np::ones({6})); }).substr(0, 11), "ValueError:");
  EXPECT_EQ(error_of([&] { microbatch(f, {2}, 2)(np::ones({4}), np::ones({6})); }),
            "IndexError: microbatch: argnums must be numbers of arguments; got 2 of 2.");
  EXPECT_EQ(error_of([&] { microbatch(f, {}, 2)(np::ones({4}), np::ones({6})); }),
            "ValueError: microbatch: there must be a batch; got none.");
  const auto counts = [](const Array& x) { return np::sum(x); };
  EXPECT_EQ(error_of([&] { microbatch(counts, {0}, 2, Accumulation::kMean)(np::array({1, 2})); }),
            "DTypeError: microbatch: a mean must be of float or complex results; got i32[].");
  EXPECT_EQ(error_of([&] { microbatch(counts, {0}, 2, Accumulation::kConcat)(np::array({1, 2})); }),
            "ShapeError: microbatch: what is joined must have an axis; got i32[].");
}

}  // namespace
}  // namespace weft::optim
