// Cells against their formulas, written with their parameters by name.
#include "nn/recurrent.h"

#include "nn/checks.h"

namespace weft::nn {
namespace {

using namespace testing;

const Array kKey = random::key(0);
const Array kX = draw({3, 2}, 1), kH = draw({3, 4}, 2), kC = draw({3, 4}, 3);

// x W + b of the parameters under a name.
struct Products {
  const Collection& p;
  Array operator()(const std::string& name, const Array& x) const {
    const Array y = np::einsum("...i,ij->...j", x, p.at(name + "/kernel"));
    return p.contains(name + "/bias") ? y + p.at(name + "/bias") : y;
  }
  Array both(const std::string& gate, const Array& x, const Array& h) const {
    const Array of_input = (*this)("i" + gate, x);
    return of_input + (*this)("h" + gate, h);
  }
};
Array gate(const Array& x) { return 1 / (1 + np::exp(-x)); }

// ---- LSTM ----

std::pair<Array, Array> lstm(const Collection& p, const Array& c, const Array& h, const Array& x) {
  const Products w{p};
  const Array next = gate(w.both("f", x, h)) * c + gate(w.both("i", x, h)) * np::tanh(w.both("g", x, h));
  return {next, gate(w.both("o", x, h)) * np::tanh(next)};
}
const Texts kLstmTypes{"params/hf/bias f64[4]",     "params/hf/kernel f64[4,4]", "params/hg/bias f64[4]",
                       "params/hg/kernel f64[4,4]", "params/hi/bias f64[4]",     "params/hi/kernel f64[4,4]",
                       "params/ho/bias f64[4]",     "params/ho/kernel f64[4,4]", "params/if/kernel f64[2,4]",
                       "params/ig/kernel f64[2,4]", "params/ii/kernel f64[2,4]", "params/io/kernel f64[2,4]"};

template <class Cell>
void expect_lstm() {
  const Cell cell{.features = 4, .param_dtype = f64};
  const LSTMCarry carry(kC, kH);
  const Variables v = drawn(cell.init(kKey, carry, kX));
  EXPECT_EQ(types(v), kLstmTypes);
  const auto [after, y] = cell.apply(v, carry, kX);
  const auto [c, h] = lstm(v.at("params"), kC, kH, kX);
  EXPECT_TRUE(near(after.first, c));
  EXPECT_TRUE(near(after.second, h));
  EXPECT_TRUE(near(y, after.second, 0));
  expect_layer(cell, v, carry, kX);
  expect_same_bits(cell, carry, kX);
}
TEST(lstm_cell, is_its_formula) { expect_lstm<LSTMCell>(); }
TEST(optimized_lstm_cell, is_the_same_formula) { expect_lstm<OptimizedLSTMCell>(); }

TEST(optimized_lstm_cell, begins_as_lstm_cell_does) {
  const LSTMCarry carry(kC, kH);
  const Variables a = LSTMCell{.features = 4, .bias_init = initializers::normal(1)}.init(kKey, carry, kX);
  const Variables b = OptimizedLSTMCell{.features = 4, .bias_init = initializers::normal(1)}.init(kKey, carry, kX);
  ASSERT_EQ(types(a), types(b));
  for (const auto& [path, value] : a.at("params")) EXPECT_TRUE(near(value, b.at("params").at(path), 0)) << path;
}

TEST(lstm_cell, begins_with_lecuns_and_orthogonal_kernels) {
  const Collection p = LSTMCell{.features = 4}.init(kKey, LSTMCarry(kC, kH), kX).at("params");
  const Array key = random::fold_in(kKey, detail::path_hash("ii", 1));
  EXPECT_TRUE(near(p.at("ii/kernel"), initializers::lecun_normal()(key, {2, 4}, f32), 0));
  const Array q = p.at("hf/kernel");
  EXPECT_TRUE(near(np::matmul(q, np::transpose(q)), np::eye(4), 1e-6));
}

TEST(lstm_cell, takes_other_functions) {
  const LSTMCell cell{.features = 4,
                      .gate_fn = hard_sigmoid,
                      .activation_fn = [](const Array& x) { return x / 2; },
                      .param_dtype = f64};
  const LSTMCarry carry(kC, kH);
  const Variables v = drawn(cell.init(kKey, carry, kX));
  const Products w{v.at("params")};
  const auto hard = [](const Array& x) { return np::clip(x + 3, 0, 6) / 6; };
  const Array c = hard(w.both("f", kX, kH)) * kC + hard(w.both("i", kX, kH)) * (w.both("g", kX, kH) / 2);
  EXPECT_TRUE(near(cell.apply(v, carry, kX).second, hard(w.both("o", kX, kH)) * (c / 2)));
  const OptimizedLSTMCell same{.features = 4, .gate_fn = cell.gate_fn, .activation_fn = cell.activation_fn};
  EXPECT_TRUE(near(same.apply(v, carry, kX).second, cell.apply(v, carry, kX).second));
}

TEST(lstm_cell, carries_begin_as_told) {
  const LSTMCell cell{.features = 4, .param_dtype = bf16};
  const auto [c, h] = cell.initialize_carry(kKey, {3, 2});
  EXPECT_EQ(c.aval().str(), "bf16[3,4]");
  EXPECT_TRUE(near(h, np::zeros({3, 4}), 0));
  const LSTMCell random_start{.features = 4, .carry_init = initializers::normal(1)};
  const auto [c1, h1] = random_start.initialize_carry(kKey, {3, 2});
  const Array keys = random::split(kKey);
  EXPECT_TRUE(near(c1, random::normal(keys(0), {3, 4}), 0));
  EXPECT_TRUE(near(h1, random::normal(keys(1), {3, 4}), 0));
}

TEST(lstm_cell, computes_in_its_dtype) {
  const LSTMCell cell{.features = 4, .dtype = bf16};
  const LSTMCarry carry = LSTMCell{.features = 4, .param_dtype = bf16}.initialize_carry(kKey, {3, 2});
  const Variables v = cell.init(kKey, carry, kX.astype(f32));
  EXPECT_EQ(v.at("params").at("ii/kernel").dtype(), f32);
  EXPECT_EQ(cell.apply(v, carry, kX.astype(f32)).second.dtype(), bf16);
  const OptimizedLSTMCell fast{.features = 4, .dtype = bf16};
  EXPECT_EQ(fast.apply(v, carry, kX.astype(f32)).second.dtype(), bf16);
}

TEST(cells, keep_the_type_of_their_state_so_that_steps_can_be_scanned) {
  const auto expect_kept = [](const auto& cell) {
    const auto carry = cell.initialize_carry(kKey, {3, 2});
    const auto x = kX.astype(f32);
    const auto after = cell.apply(cell.init(kKey, carry, x), carry, x).first;
    EXPECT_EQ(tree::leaves(after)[0].dtype(), f32);
    EXPECT_EQ(tree::leaves(carry)[0].dtype(), f32);
  };
  expect_kept(LSTMCell{.features = 4, .dtype = bf16});
  expect_kept(OptimizedLSTMCell{.features = 4, .dtype = bf16});
  expect_kept(SimpleCell{.features = 4, .dtype = bf16});
  expect_kept(GRUCell{.features = 4, .dtype = bf16});
  expect_kept(MGUCell{.features = 4, .dtype = bf16});
}

// ---- cells with one state ----

template <class Cell>
void expect_cell(const Cell& cell, const Texts& made,
                 Array (*formula)(const Products& w, const Array& h, const Array& x)) {
  const Variables v = drawn(cell.init(kKey, kH, kX));
  EXPECT_EQ(types(v), made);
  const auto [after, y] = cell.apply(v, kH, kX);
  EXPECT_TRUE(near(y, formula({v.at("params")}, kH, kX)));
  EXPECT_TRUE(near(after, y, 0));
  expect_layer(cell, v, kH, kX);
  expect_same_bits(cell, kH, kX);
  EXPECT_EQ(cell.initialize_carry(kKey, {7, 3, 2}).aval().str(), "f64[7,3,4]");
  // Any axes of batch.
  const Array wide_h = np::stack({kH, kH}), wide_x = np::stack({kX, kX});
  EXPECT_TRUE(near(cell.apply(v, wide_h, wide_x).second(1), y));
}

TEST(simple_cell, is_its_formula) {
  const Texts made{"params/h/kernel f64[4,4]", "params/i/bias f64[4]", "params/i/kernel f64[2,4]"};
  expect_cell(SimpleCell{.features = 4, .param_dtype = f64}, made,
              [](const Products& w, const Array& h, const Array& x) { return np::tanh(w("i", x) + w("h", h)); });
  expect_cell(SimpleCell{.features = 4, .param_dtype = f64, .residual = true}, made,
              [](const Products& w, const Array& h, const Array& x) { return np::tanh(w("i", x) + w("h", h) + h); });
}

TEST(gru_cell, is_its_formula) {
  expect_cell(
      GRUCell{.features = 4, .param_dtype = f64},
      {"params/hn/bias f64[4]", "params/hn/kernel f64[4,4]", "params/hr/kernel f64[4,4]", "params/hz/kernel f64[4,4]",
       "params/in/bias f64[4]", "params/in/kernel f64[2,4]", "params/ir/bias f64[4]", "params/ir/kernel f64[2,4]",
       "params/iz/bias f64[4]", "params/iz/kernel f64[2,4]"},
      [](const Products& w, const Array& h, const Array& x) {
        const Array r = gate(w.both("r", x, h)), z = gate(w.both("z", x, h));
        const Array n = np::tanh(w("in", x) + r * w("hn", h));
        return (1 - z) * n + z * h;
      });
}

TEST(mgu_cell, is_its_formula) {
  expect_cell(
      MGUCell{.features = 4, .param_dtype = f64},
      {"params/hf/kernel f64[4,4]", "params/hn/bias f64[4]", "params/hn/kernel f64[4,4]", "params/if/bias f64[4]",
       "params/if/kernel f64[2,4]", "params/in/bias f64[4]", "params/in/kernel f64[2,4]"},
      [](const Products& w, const Array& h, const Array& x) {
        const Array f = gate(w.both("f", x, h)), n = np::tanh(w("in", x) + f * w("hn", h));
        return (1 - f) * n + f * h;
      });
  expect_cell(MGUCell{.features = 4, .param_dtype = f64, .reset_gate = false},
              {"params/hf/kernel f64[4,4]", "params/hn/kernel f64[4,4]", "params/if/bias f64[4]",
               "params/if/kernel f64[2,4]", "params/in/bias f64[4]", "params/in/kernel f64[2,4]"},
              [](const Products& w, const Array& h, const Array& x) {
                const Array f = gate(w.both("f", x, h)), n = np::tanh(w.both("n", x, h));
                return (1 - f) * n + f * h;
              });
}

TEST(mgu_cell, begins_by_forgetting_little) {
  const Collection p = MGUCell{.features = 4}.init(kKey, kH, kX).at("params");
  EXPECT_TRUE(near(p.at("if/bias"), Doubles(4, 1), 0));
  EXPECT_TRUE(near(p.at("in/bias"), Doubles(4, 0), 0));
}

// ---- ConvLSTMCell ----

TEST(conv_lstm_cell, is_its_formula) {
  const ConvLSTMCell cell{.features = 2, .kernel_size = {3, 2}, .param_dtype = f64};
  const Array x = draw({1, 4, 3, 3}, 1), c = draw({1, 4, 3, 2}, 2), h = draw({1, 4, 3, 2}, 3);
  const LSTMCarry carry(c, h);
  const Variables v = drawn(cell.init(kKey, carry, x));
  EXPECT_EQ(types(v), (Texts{"params/hh/bias f64[8]", "params/hh/kernel f64[3,2,2,8]", "params/ih/bias f64[8]",
                             "params/ih/kernel f64[3,2,3,8]"}));
  const auto conv = [&](const char* name, const Array& a) {
    return Conv{.features = 8, .kernel_size = {3, 2}}.apply(below(v, name), a);
  };
  static_assert(std::is_same_v<decltype(below(v, "ih")), Variables>);
  const Array sums = conv("ih", x) + conv("hh", h);
  const auto quarter = [&](int i) { return sums(ellipsis, slice(2 * i, 2 * i + 2)); };
  const Array next = gate(quarter(2) + 1) * c + gate(quarter(0)) * np::tanh(quarter(1));
  const auto [after, y] = cell.apply(v, carry, x);
  EXPECT_TRUE(near(after.first, next));
  EXPECT_TRUE(near(y, gate(quarter(3)) * np::tanh(next)));
  EXPECT_EQ(cell.num_feature_axes(), 3);
  EXPECT_EQ(cell.initialize_carry(kKey, {5, 4, 3, 3}).first.aval().str(), "f64[5,4,3,2]");
  expect_same_bits(cell, carry, x);
}

TEST(conv_lstm_cell, has_right_gradients) {
  const ConvLSTMCell cell{.features = 1, .kernel_size = {2}, .param_dtype = f64};
  const LSTMCarry carry(draw({3, 1}, 1), draw({3, 1}, 2));
  const Array x = draw({3, 2}, 3);
  expect_layer(cell, drawn(cell.init(kKey, carry, x)), carry, x);
}

TEST(cells, refuse_what_they_cannot_do) {
  EXPECT_EQ(error_of([] { GRUCell{.features = 3}.init(kKey, kH, kX); }),
            "ShapeError: gru_cell: the last axis of the state must have the cell's features, 3; got f64[3,4].");
  EXPECT_EQ(error_of([] { LSTMCell{}.init(kKey, LSTMCarry(kC, kH), kX); }),
            "ValueError: lstm_cell: features must be positive; got 0.");
  EXPECT_EQ(error_of([] { LSTMCell{.features = 4}.initialize_carry(kKey, {}); }),
            "ShapeError: initialize_carry: the input must have an axis of features; got the shape ().");
  EXPECT_EQ(error_of([] { ConvLSTMCell{.features = 4, .kernel_size = {3, 3}}.initialize_carry(kKey, {4, 2}); }),
            "ShapeError: initialize_carry: the input must have 2 spatial axes and one of features; got the shape "
            "[4,2].");
}

}  // namespace
}  // namespace weft::nn
