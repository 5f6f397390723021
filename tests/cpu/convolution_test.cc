// Convolution on the CPU beside its reference evaluation: by patches, by Winograd's way, and by the library in each of
// its three roles.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "weft/base/thread_pool.h"
#include "weft/cpu/kernels/convolution.h"
#include "weft/cpu/kernels/isa.h"
#include "weft/cpu/kernels/winograd.h"
#include "weft/cpu/library/convolution.h"
#include "weft/cpu/library/onednn.h"
#include "weft/cpu/plan.h"
#include "weft/ir/op.h"
#include "weft/weft.h"

namespace weft::cpu {
namespace {

using Values = std::vector<float>;
using Computes = ConvolutionForm::Computes;

struct Case {
  ConvolutionParams p;
  Dims lhs, rhs, out;
  std::string text() const {
    std::vector<std::string> pieces;
    ir::VarNames names;
    ir::make_params(p)->print(pieces, 0, names, 0);
    std::string r = Aval(f32, lhs).str() + ", " + Aval(f32, rhs).str();
    for (const std::string& piece : pieces) r += ' ' + piece;
    return r;
  }
};

// The shape of the result; nothing for operands that do not fit.
bool infer(Case& c, DType t = f32) {
  const Aval in[] = {Aval(t, c.lhs), Aval(t, c.rhs)};
  ir::Avals out;
  try {
    ir::infer(OpCode::kConvolution, ir::make_params(c.p).get(), in, out);
  } catch (const Error&) {
    return false;
  }
  c.out = Dims(out[0].shape());
  return out[0].size() > 0;
}

Values random_values(std::int64_t n, unsigned seed) {
  std::mt19937 rng(seed);
  Values v(static_cast<std::size_t>(n));
  // Small numbers of few digits: sums are exact, in whatever order.
  for (float& x : v) x = static_cast<float>(static_cast<int>(rng() % 17) - 8) / 8;
  return v;
}

Values reference(const Case& c, const Values& x, const Values& k) {
  Values y(static_cast<std::size_t>(product(c.out)));
  const TensorView in[] = {{Aval(f32, c.lhs), x.data()}, {Aval(f32, c.rhs), k.data()}};
  const MutableTensorView out[] = {{Aval(f32, c.out), y.data()}};
  ir::evaluate(OpCode::kConvolution, ir::make_params(c.p).get(), in, out);
  return y;
}

// f(y) on one and on two threads, whose bits must agree.
template <class F>
Values on_threads(const Case& c, F&& f) {
  const int before = num_threads();
  Values y[2];
  for (const int threads : {1, 2}) {
    set_num_threads(threads);
    Values& r = y[threads - 1];
    r.assign(static_cast<std::size_t>(product(c.out)), NAN);
    f(r.data());
  }
  set_num_threads(before);
  EXPECT_EQ(std::memcmp(y[0].data(), y[1].data(), y[0].size() * sizeof(float)), 0) << c.text();
  return y[0];
}

void expect_near(const Case& c, const Values& got, const Values& want, double tolerance, const char* way) {
  double largest = 0, worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(want[i])));
    const double d = std::abs(static_cast<double>(got[i]) - static_cast<double>(want[i]));
    worst = std::max(worst, d == d ? d : INFINITY);
  }
  EXPECT_LE(worst, tolerance * std::max(1.0, largest)) << way << ": " << c.text();
}

Values by_patches(const Case& c, const Values& x, const Values& k) {
  return on_threads(c, [&](float* y) { convolve_patches(c.p, f32, f32, c.lhs, c.rhs, c.out, x.data(), k.data(), y); });
}
// run(src, weights, dst) on the arrays in their roles.
template <class F>
Values in_roles(const Case& c, const ConvolutionRoles& roles, Values x, Values k, F&& run) {
  return on_threads(c, [&](float* y) {
    float *first = roles.exchanged ? k.data() : x.data(), *second = roles.exchanged ? x.data() : k.data();
    switch (roles.form.computes) {
      case Computes::kDst: return run(first, second, y);
      case Computes::kSrc: return run(y, first, second);
      case Computes::kWeights: return run(first, y, second);
    }
  });
}
// By the library, when it serves that.
std::optional<Values> by_library(const Case& c, const Values& x, const Values& k, Computes* role = nullptr) {
  const auto roles = convolution_roles(c.p, c.lhs, c.rhs, c.out);
  if (!roles) return std::nullopt;
  const auto library = library_convolution(roles->form);
  if (!library) return std::nullopt;
  if (role) *role = roles->form.computes;
  return in_roles(c, *roles, x, k, [&](float* src, float* weights, float* dst) { library->run(src, weights, dst); });
}

// Random axes, groups, sizes and windows of `rank` spatial axes.
Case random_case(std::mt19937& rng, std::size_t rank) {
  const auto between = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(rng() % static_cast<unsigned>(high - low + 1));
  };
  const auto chance = [&](unsigned percent) { return rng() % 100 < percent; };
  Case c;
  ConvDimensionNumbers& d = c.p.dimension_numbers;
  const auto axes = [&](std::int64_t& first, std::int64_t& second, Dims& spatial) {
    Dims order;
    for (std::size_t i = 0; i < rank + 2; ++i) order.push_back(static_cast<std::int64_t>(i));
    if (chance(60)) std::shuffle(order.begin(), order.end(), rng);
    first = order[0];
    second = order[1];
    for (std::size_t i = 2; i < order.size(); ++i) spatial.push_back(order[i]);
  };
  axes(d.input_batch, d.input_feature, d.input_spatial);
  axes(d.kernel_output_feature, d.kernel_input_feature, d.kernel_spatial);
  axes(d.output_batch, d.output_feature, d.output_spatial);
  const std::int64_t groups = chance(25) ? between(2, 4) : 1;
  (chance(50) ? c.p.feature_group_count : c.p.batch_group_count) = groups;
  const std::int64_t features = between(1, 5), batch = between(1, 4);
  c.lhs = c.rhs = Dims(rank + 2);
  c.lhs[static_cast<std::size_t>(d.input_batch)] = batch * c.p.batch_group_count;
  c.lhs[static_cast<std::size_t>(d.input_feature)] = features * c.p.feature_group_count;
  c.rhs[static_cast<std::size_t>(d.kernel_input_feature)] = features;
  c.rhs[static_cast<std::size_t>(d.kernel_output_feature)] = groups * between(1, 4);
  const bool reversed = chance(30);
  for (std::size_t i = 0; i < rank; ++i) {
    c.lhs[static_cast<std::size_t>(d.input_spatial[i])] = between(1, 9);
    c.rhs[static_cast<std::size_t>(d.kernel_spatial[i])] = between(1, chance(30) ? 7 : 3);
    c.p.window_strides.push_back(chance(60) ? 1 : between(2, 3));
    c.p.padding_low.push_back(between(-2, 3));
    c.p.padding_high.push_back(between(-2, 3));
    c.p.lhs_dilation.push_back(chance(75) ? 1 : between(2, 3));
    c.p.rhs_dilation.push_back(chance(75) ? 1 : between(2, 3));
    if (chance(reversed ? 85 : 5)) c.p.reversed.push_back(static_cast<std::int64_t>(i));
  }
  c.p.preferred_element_type = f32;
  return c;
}

TEST(cpu_convolution, any_convolution_is_what_reference_evaluation_says) {
  std::mt19937 rng(1);
  int cases = 0, served[3] = {};
  for (int trial = 0; trial < 1500 && !HasFailure(); ++trial) {
    Case c = random_case(rng, 1 + rng() % 3);
    if (!infer(c)) continue;
    ++cases;
    const Values x = random_values(product(c.lhs), rng()), k = random_values(product(c.rhs), rng());
    const Values want = reference(c, x, k);
    expect_near(c, by_patches(c, x, k), want, 0, "patches");
    Computes role{};
    if (const auto got = by_library(c, x, k, &role)) {
      ++served[static_cast<int>(role)];
      expect_near(c, *got, want, 1e-6, "library");
    }
  }
  EXPECT_GT(cases, 300);
  for (const int n : served) EXPECT_GT(n, have_onednn() ? 20 : -1);
}

// 3x3 at stride 1, any order of axes that leaves features last in lhs and result, cropped or padded by any amount, also
// as the gradient of one, whose kernel is read backwards.
Case random_winograd_case(std::mt19937& rng) {
  const auto between = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(rng() % static_cast<unsigned>(high - low + 1));
  };
  Case c;
  ConvDimensionNumbers& d = c.p.dimension_numbers;
  const auto axes = [&](std::size_t shuffled, std::int64_t& first, std::int64_t& second, Dims& spatial) {
    Dims order{0, 1, 2, 3};
    std::shuffle(order.begin(), order.begin() + shuffled, rng);
    first = order[0];
    spatial = {order[1], order[2]};
    second = order[3];
  };
  axes(3, d.input_batch, d.input_feature, d.input_spatial);
  axes(3, d.output_batch, d.output_feature, d.output_spatial);
  axes(4, d.kernel_output_feature, d.kernel_input_feature, d.kernel_spatial);
  const auto at = [](Dims& dims, std::int64_t i) -> std::int64_t& { return dims[static_cast<std::size_t>(i)]; };
  c.lhs = c.rhs = Dims(4);
  at(c.lhs, d.input_feature) = at(c.rhs, d.kernel_input_feature) = 16 * between(1, 3) + (rng() % 8 == 0 ? 256 : 0);
  at(c.rhs, d.kernel_output_feature) = 16 * between(1, 4);
  for (std::size_t i = 0; i < 2; ++i) {
    at(c.lhs, d.input_spatial[i]) = between(8, 21);
    at(c.rhs, d.kernel_spatial[i]) = 3;
    c.p.padding_low.push_back(between(-1, 2));
    c.p.padding_high.push_back(between(-1, 3));
  }
  at(c.lhs, d.input_batch) = between(5, 9);
  c.p.window_strides = c.p.lhs_dilation = c.p.rhs_dilation = {1, 1};
  if (rng() % 2) c.p.reversed = {0, 1};
  c.p.preferred_element_type = f32;
  return c;
}

TEST(cpu_convolution, winograd_is_what_reference_evaluation_says_on_every_instruction_set) {
  std::mt19937 rng(2);
  const Isa before = active_isa();
  int served[2] = {};
  for (int trial = 0; trial < 40 && !HasFailure(); ++trial) {
    Case c = random_winograd_case(rng);
    if (!infer(c)) continue;
    const auto roles = convolution_roles(c.p, c.lhs, c.rhs, c.out);
    if (!roles || !can_winograd(roles->form)) continue;
    ++served[static_cast<int>(roles->form.computes)];
    const Values x = random_values(product(c.lhs), rng()), k = random_values(product(c.rhs), rng());
    const Values want = by_patches(c, x, k);
    for (const Isa isa : {Isa::kBaseline, Isa::kV3, Isa::kV4}) {
      if (!isa_available(isa)) continue;
      force_isa(isa);
      expect_near(c,
                  in_roles(c, *roles, x, k,
                           [&](float* src, float* weights, float* dst) { winograd(roles->form, src, weights, dst); }),
                  want, 1e-5, "winograd");
    }
    force_isa(before);
  }
  EXPECT_GT(served[static_cast<int>(Computes::kDst)], 5);
  EXPECT_GT(served[static_cast<int>(Computes::kSrc)], 5);
}

// ---- whole networks' shapes ----

ConvDimensionNumbers features_last(std::int64_t rank = 2) {
  ConvDimensionNumbers d{.input_batch = 0,
                         .input_feature = rank + 1,
                         .kernel_output_feature = rank + 1,
                         .kernel_input_feature = rank,
                         .output_batch = 0,
                         .output_feature = rank + 1};
  for (std::int64_t i = 0; i < rank; ++i) {
    d.input_spatial.push_back(i + 1);
    d.kernel_spatial.push_back(i);
    d.output_spatial.push_back(i + 1);
  }
  return d;
}
ConvDimensionNumbers features_first(std::int64_t rank = 2) {
  ConvDimensionNumbers d{.input_batch = 0,
                         .input_feature = 1,
                         .kernel_output_feature = 0,
                         .kernel_input_feature = 1,
                         .output_batch = 0,
                         .output_feature = 1};
  for (std::int64_t i = 0; i < rank; ++i)
    for (Dims* spatial : {&d.input_spatial, &d.kernel_spatial, &d.output_spatial}) spatial->push_back(i + 2);
  return d;
}

// Blocks of patches end inside a line of places, and a window longer than a block of them.
TEST(cpu_convolution, long_lines_and_long_windows_are_what_reference_evaluation_says) {
  for (const auto& [length, window] : {std::pair(3000, 20), std::pair(9000, 4500), std::pair(40, 33)}) {
    Case c;
    c.p.dimension_numbers = features_first(1);
    c.p.window_strides = c.p.lhs_dilation = c.p.rhs_dilation = {1};
    c.p.padding_low = c.p.padding_high = {3};
    c.p.preferred_element_type = f32;
    c.lhs = {2, 1, length};
    c.rhs = {4, 1, window};
    ASSERT_TRUE(infer(c));
    // Small whole numbers: sums are exact in any order.
    Values x = random_values(product(c.lhs), 1), k = random_values(product(c.rhs), 2);
    for (Values* v : {&x, &k})
      for (float& f : *v) f = std::round(4 * f);
    expect_near(c, by_patches(c, x, k), reference(c, x, k), 0, "patches");
  }
}

struct Layer {
  const char* name;
  Dims lhs, rhs;
  ConvolutionParams p;
};
std::vector<Layer> layers() {
  const ConvDimensionNumbers last = features_last(), first = features_first();
  // As the gradients of a kernel for each example are convolutions: these are the groups, features the batch.
  const ConvDimensionNumbers examples{.input_batch = 3,
                                      .input_feature = 0,
                                      .input_spatial = {1, 2},
                                      .kernel_output_feature = 3,
                                      .kernel_input_feature = 0,
                                      .kernel_spatial = {1, 2},
                                      .output_batch = 2,
                                      .output_feature = 3,
                                      .output_spatial = {0, 1}};
  const Dims one{1, 1}, two{2, 2};
  const auto p = [](ConvDimensionNumbers d, Dims stride, Dims pad, Dims dilation, std::int64_t groups) {
    ConvolutionParams r;
    r.dimension_numbers = d;
    r.window_strides = stride;
    r.padding_low = r.padding_high = pad;
    r.rhs_dilation = dilation;
    r.lhs_dilation = Dims{1, 1};
    r.feature_group_count = groups;
    return r;
  };
  return {
      {"3x3", {5, 24, 24, 32}, {3, 3, 32, 48}, p(last, one, one, one, 1)},
      {"3x3 features first", {5, 32, 24, 24}, {48, 32, 3, 3}, p(first, one, one, one, 1)},
      {"one example", {1, 28, 28, 64}, {3, 3, 64, 64}, p(last, one, one, one, 1)},
      {"few features", {9, 28, 28, 1}, {3, 3, 1, 32}, p(last, one, one, one, 1)},
      {"stride 2", {3, 30, 30, 24}, {3, 3, 24, 40}, p(last, two, one, one, 1)},
      {"stem", {2, 64, 64, 3}, {7, 7, 3, 32}, p(last, two, Dims{3, 3}, one, 1)},
      {"1x1", {3, 14, 14, 64}, {1, 1, 64, 96}, p(last, one, Dims{0, 0}, one, 1)},
      {"dilated", {3, 26, 26, 24}, {3, 3, 24, 24}, p(last, one, two, two, 1)},
      {"groups", {3, 26, 26, 32}, {3, 3, 8, 32}, p(last, one, one, one, 4)},
      {"groups of one feature to several", {2, 20, 20, 32}, {3, 3, 1, 256}, p(last, one, one, one, 32)},
      {"one feature of examples", {40, 20, 20, 1}, {1, 9, 9, 320}, p(examples, one, Dims{3, 3}, two, 40)},
      {"features of examples", {40, 13, 13, 24}, {1, 5, 5, 640}, p(examples, one, one, two, 40)},
      {"depthwise", {3, 40, 40, 64}, {5, 5, 1, 64}, p(last, one, two, one, 64)},
      {"depthwise, features first, stride 2", {3, 64, 40, 40}, {64, 1, 5, 5}, p(first, two, two, one, 64)},
  };
}

// x * k and, for ct, the gradients of both operands, by the public functions and by reference evaluation.
std::vector<Values> all_three(const Layer& l, const Array& x, const Array& k, const Array& ct) {
  const auto [y, pullback] = vjp([&](Array a, Array b) { return lax::convolution(a, b, l.p); }, x, k);
  const auto [dx, dk] = pullback(ct);
  return {y.to_vector<float>(), dx.to_vector<float>(), dk.to_vector<float>()};
}

TEST(cpu_convolution, layers_and_their_gradients_agree_with_double_precision) {
  for (const Layer& l : layers()) {
    Case c{l.p, l.lhs, l.rhs, {}};
    ASSERT_TRUE(infer(c));
    const Array x = random::normal(random::key(1), l.lhs), k = random::normal(random::key(2), l.rhs),
                ct = random::normal(random::key(3), Shape(c.out));
    const auto wide = [](const Array& a) { return a.astype(f64); };
    const auto [y, pullback] = vjp([&](Array a, Array b) { return lax::convolution(a, b, l.p); }, wide(x), wide(k));
    const auto [dx, dk] = pullback(wide(ct));
    const std::vector<Values> want{y.astype(f32).to_vector<float>(), dx.astype(f32).to_vector<float>(),
                                   dk.astype(f32).to_vector<float>()};
    const int before = num_threads();
    set_num_threads(1);
    const std::vector<Values> one = all_three(l, x, k, ct);
    set_num_threads(2);
    const std::vector<Values> two = all_three(l, x, k, ct);
    set_num_threads(before);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(std::memcmp(one[i].data(), two[i].data(), one[i].size() * sizeof(float)), 0) << l.name << ' ' << i;
      expect_near(c, one[i], want[i], 1e-5, l.name);
    }
  }
}

// Small whole numbers: sums are exact in every type.
TEST(cpu_convolution, every_number_is_convolved_by_a_kernel) {
  Layer small{"", {2, 6, 6, 3}, {3, 3, 3, 4}, {}}, large{"", {2, 30, 30, 16}, {3, 3, 16, 20}, {}};
  for (Layer* l : {&small, &large}) {
    l->p = layers()[0].p;
    for (const DType t : {i8, i16, i32, i64, u8, u16, u32, u64, f16, bf16, f32, f64, c64, c128}) {
      if (l == &large && !is_float(t)) continue;
      const Array x = lax::convert(random::randint(random::key(1), l->lhs, 0, 3), t),
                  k = lax::convert(random::randint(random::key(2), l->rhs, 0, 2), t);
      const Array y = lax::convolution(x, k, l->p);
      ConvolutionParams p = l->p;
      p.preferred_element_type = t;
      const ir::Params params = ir::make_params(p);
      const Aval in[] = {x.aval(), k.aval()}, out[] = {y.aval()};
      EXPECT_EQ(plan_op(OpCode::kConvolution, params.get(), in, out).kind, OpPlan::Kind::kDense) << name(t);
      std::vector<char> want(static_cast<std::size_t>(y.aval().bytes()));
      const TensorView from[] = {{x.aval(), x.buffer()->data()}, {k.aval(), k.buffer()->data()}};
      const MutableTensorView to[] = {{y.aval(), want.data()}};
      ir::evaluate(OpCode::kConvolution, params.get(), from, to);
      EXPECT_EQ(std::memcmp(want.data(), y.buffer()->data(), want.size()), 0) << name(t) << ' ' << l->lhs[1];
    }
  }
}

TEST(cpu_convolution, halves_add_up_in_single_precision) {
  for (const DType t : {f16, bf16}) {
    const Layer l = layers()[0];
    const Array x = lax::convert(random::normal(random::key(1), Shape(l.lhs)), t),
                k = lax::convert(random::normal(random::key(2), Shape(l.rhs)), t);
    const Array y = lax::convolution(x, k, l.p),
                wide = lax::convolution(lax::convert(x, f32), lax::convert(k, f32), l.p);
    EXPECT_EQ(lax::convert(y, f32).to_vector<float>(), lax::convert(lax::convert(wide, t), f32).to_vector<float>());
    EXPECT_EQ(lax::convolution(x, k, l.p, f32).to_vector<float>(), wide.to_vector<float>());
  }
}

// Gradients in the roles that the library has primitives for.
TEST(cpu_convolution, gradients_take_the_roles_of_gradients) {
  const auto role = [](const Dims& lhs, const Dims& rhs, ConvolutionParams p) {
    Case c{std::move(p), lhs, rhs, {}};
    EXPECT_TRUE(infer(c));
    const auto roles = convolution_roles(c.p, c.lhs, c.rhs, c.out);
    EXPECT_TRUE(roles.has_value());
    return roles ? roles->form.computes : Computes{};
  };
  ConvolutionParams p = layers()[0].p;
  p.window_strides = {2, 2};
  EXPECT_EQ(role({5, 24, 24, 32}, {3, 3, 32, 48}, p), Computes::kDst);
  // 24 places 2 apart, of which 12 are left: what jax.vjp makes of it.
  ConvolutionParams of_lhs = p;
  of_lhs.dimension_numbers.kernel_output_feature = 2;
  of_lhs.dimension_numbers.kernel_input_feature = 3;
  of_lhs.window_strides = {1, 1};
  of_lhs.lhs_dilation = {2, 2};
  of_lhs.padding_low = {1, 1};
  of_lhs.padding_high = {2, 2};
  of_lhs.reversed = {0, 1};
  EXPECT_EQ(role({5, 12, 12, 48}, {3, 3, 32, 48}, of_lhs), Computes::kSrc);
  ConvolutionParams of_rhs = p;
  of_rhs.dimension_numbers = {.input_batch = 3,
                              .input_feature = 0,
                              .input_spatial = {1, 2},
                              .kernel_output_feature = 3,
                              .kernel_input_feature = 0,
                              .kernel_spatial = {1, 2},
                              .output_batch = 2,
                              .output_feature = 3,
                              .output_spatial = {0, 1}};
  of_rhs.window_strides = {1, 1};
  of_rhs.rhs_dilation = {2, 2};
  of_rhs.padding_low = {1, 1};
  of_rhs.padding_high = {0, 0};
  EXPECT_EQ(role({5, 24, 24, 32}, {5, 12, 12, 48}, of_rhs), Computes::kWeights);
}

}  // namespace
}  // namespace weft::cpu
