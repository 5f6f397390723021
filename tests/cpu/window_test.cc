// reduce_window, select_and_scatter and select_and_gather_add on the CPU: the very bits of reference evaluation, on
// every instruction set and number of threads.
#include "weft/cpu/kernels/window.h"

#include "kernel_testing.h"
#include "weft/cpu/plan_window.h"
#include "weft/ir/op.h"
#include "weft/weft.h"

namespace weft::cpu {
namespace {

constexpr DType kTypes[] = {boolean, i8, i16, i32, i64, u8, u16, u32, u64, f16, bf16, f32, f64};

struct Random {
  std::mt19937 rng;
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(rng() % static_cast<unsigned>(high - low + 1));
  }
  bool chance(unsigned percent) { return rng() % 100 < percent; }
};

// A window over `shape` that slides along some axes; `ordinary`: as pooling does.
Window random_window(Random& r, DimSpan shape, bool ordinary) {
  Window w;
  for (const std::int64_t n : shape) {
    const bool still = r.chance(50);
    w.dimensions.push_back(still ? 1 : r.between(1, std::min<std::int64_t>(n, 4)));
    w.strides.push_back(still || r.chance(40) ? 1 : r.between(1, 3));
    w.base_dilations.push_back(still || ordinary || r.chance(60) ? 1 : r.between(2, 3));
    w.window_dilations.push_back(still || ordinary || r.chance(70) ? 1 : r.between(2, 3));
    w.padding_low.push_back(still ? 0 : r.between(ordinary ? 0 : -2, 3));
    w.padding_high.push_back(still ? 0 : r.between(ordinary ? 0 : -2, 3));
  }
  return w;
}

// The result of the kernel and that of reference evaluation; nothing where there is no kernel or no element.
bool compare(OpCode op, const ir::Params& params, std::span<const Aval> in, std::span<const Buffer> data,
             const std::string& what) {
  ir::Avals out;
  try {
    ir::infer(op, params.get(), in, out);
  } catch (const Error&) {
    return false;
  }
  if (out[0].size() == 0) return false;
  const auto run = plan_window(op, params.get(), in, out).run;
  if (!run) return false;
  std::vector<const void*> from;
  std::vector<TensorView> views;
  for (std::size_t i = 0; i < in.size(); ++i) {
    from.push_back(data[i].data());
    views.push_back({in[i], data[i].data()});
  }
  const DType t = out[0].dtype();
  const Buffer got = same_everywhere(
      [&] {
        Buffer y(t, out[0].size());
        void* to = y.data();
        // Kernels are looked up as they run.
        run(from.data(), &to, nullptr);
        return y;
      },
      what.c_str());
  Buffer want(t, out[0].size());
  const MutableTensorView view{out[0], want.data()};
  ir::evaluate(op, params.get(), views, {&view, 1});
  visit_dtype(t, [&]<class T>(TypeTag<T>) {
    for (std::int64_t i = 0; i < want.size(); ++i)
      if constexpr (!std::is_same_v<T, std::complex<float>> && !std::is_same_v<T, std::complex<double>>)
        if (!same_value(got.at<T>(i), want.at<T>(i))) {
          ADD_FAILURE() << what << " at " << i << ": " << same_value(got.at<T>(i), want.at<T>(i)).message();
          return;
        }
  });
  return true;
}

std::string text(const ir::Params& params, Aval x) {
  std::vector<std::string> pieces;
  ir::VarNames names;
  params->print(pieces, 0, names, 0);
  std::string r = x.str();
  for (const std::string& piece : pieces) r += ' ' + piece;
  return r;
}

Dims random_shape(Random& r) {
  Dims shape;
  const std::int64_t rank = r.between(1, 4);
  for (std::int64_t i = 0; i < rank; ++i) shape.push_back(r.between(1, r.chance(20) ? 40 : 7));
  return shape;
}

using CpuWindow = KernelTest;

TEST_F(CpuWindow, reductions_have_the_bits_of_reference_evaluation) {
  Random r{std::mt19937(1)};
  int compared = 0;
  for (int trial = 0; trial < 1500 && !HasFailure(); ++trial) {
    const DType t = kTypes[static_cast<std::size_t>(trial) % std::size(kTypes)];
    const auto kind = static_cast<ReduceKind>(r.between(0, category(t) > Category::kInteger ? 3 : 6));
    const Aval x(t, random_shape(r));
    const ir::Params params = ir::make_params(ReduceWindowParams{kind, random_window(r, x.shape(), r.chance(50))});
    const Buffer data[] = {random_buffer(t, x.size(), r.rng(), r.chance(30))};
    compared += compare(OpCode::kReduceWindow, params, {&x, 1}, data, text(params, x));
  }
  EXPECT_GT(compared, 800);
}

TEST_F(CpuWindow, choices_have_the_bits_of_reference_evaluation) {
  Random r{std::mt19937(2)};
  int compared = 0;
  for (int trial = 0; trial < 1500 && !HasFailure(); ++trial) {
    const DType t = kTypes[static_cast<std::size_t>(trial) % std::size(kTypes)];
    const Aval x(t, random_shape(r));
    const Window w = random_window(r, x.shape(), r.chance(50));
    const ir::Params params = ir::make_params(WindowSelectParams{static_cast<WindowSelect>(r.between(0, 3)), w});
    ir::Avals places;
    try {
      ir::infer(OpCode::kReduceWindow, ir::make_params(ReduceWindowParams{ReduceKind::kMax, w}).get(), {&x, 1}, places);
    } catch (const Error&) {
      continue;
    }
    Buffer of_x = random_buffer(t, x.size(), r.rng(), r.chance(30));
    if (r.chance(50)) {  // ties
      const Buffer few = random_buffer(t, 3, r.rng());
      visit_dtype(t, [&]<class T>(TypeTag<T>) {
        for (std::int64_t i = 0; i < x.size(); ++i) of_x.set<T>(i, few.at<T>(r.between(0, 2)));
      });
    }
    const Aval scatter[] = {x, places[0]}, gather[] = {x, x};
    const Buffer source[] = {of_x, random_buffer(t, places[0].size(), r.rng())},
                 values[] = {of_x, random_buffer(t, x.size(), r.rng())};
    compared += compare(OpCode::kSelectAndScatter, params, scatter, source, "scatter " + text(params, x));
    compared += compare(OpCode::kSelectAndGatherAdd, params, gather, values, "gather " + text(params, x));
  }
  EXPECT_GT(compared, 1500);
}

TEST_F(CpuWindow, pooling_of_images_has_the_bits_of_reference_evaluation) {
  struct Pool {
    Dims shape;
    Window w;
  };
  const Pool pools[] = {
      {{3, 40, 40, 64}, {{1, 2, 2, 1}, {1, 2, 2, 1}, {1, 1, 1, 1}, {1, 1, 1, 1}, {0, 0, 0, 0}, {0, 0, 0, 0}}},
      {{3, 41, 40, 24}, {{1, 3, 3, 1}, {1, 2, 2, 1}, {1, 1, 1, 1}, {1, 1, 1, 1}, {0, 1, 1, 0}, {0, 1, 1, 0}}},
      {{3, 8, 41, 40}, {{1, 1, 3, 3}, {1, 1, 2, 2}, {1, 1, 1, 1}, {1, 1, 1, 1}, {0, 0, 1, 1}, {0, 0, 1, 1}}},
      {{3, 8, 40, 40}, {{1, 1, 2, 2}, {1, 1, 2, 2}, {1, 1, 1, 1}, {1, 1, 1, 1}, {0, 0, 0, 0}, {0, 0, 0, 0}}},
      {{3, 20, 20, 32}, {{1, 2, 2, 1}, {1, 1, 1, 1}, {1, 2, 2, 1}, {1, 1, 1, 1}, {0, 1, 1, 0}, {0, 1, 1, 0}}},
      {{1, 100, 70, 16}, {{1, 2, 2, 1}, {1, 2, 2, 1}, {1, 1, 1, 1}, {1, 1, 1, 1}, {0, 0, 0, 0}, {0, 0, 0, 0}}},
  };
  for (const Pool& pool : pools) {
    const Aval x(f32, pool.shape);
    const Buffer data[] = {random_buffer(f32, x.size(), 7, false)};
    for (const ReduceKind kind : {ReduceKind::kSum, ReduceKind::kMax, ReduceKind::kMin}) {
      const ir::Params params = ir::make_params(ReduceWindowParams{kind, pool.w});
      EXPECT_TRUE(compare(OpCode::kReduceWindow, params, {&x, 1}, data, text(params, x)));
    }
    ir::Avals places;
    ir::infer(OpCode::kReduceWindow, ir::make_params(ReduceWindowParams{ReduceKind::kMax, pool.w}).get(), {&x, 1},
              places);
    const ir::Params params = ir::make_params(WindowSelectParams{WindowSelect::kGe, pool.w});
    const Aval scatter[] = {x, places[0]};
    const Buffer source[] = {data[0], random_buffer(f32, places[0].size(), 8, false)};
    EXPECT_TRUE(compare(OpCode::kSelectAndScatter, params, scatter, source, text(params, x)));
  }
}

}  // namespace
}  // namespace weft::cpu
