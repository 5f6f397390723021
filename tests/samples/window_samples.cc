// Samples of convolution, reduce_window, select_and_scatter and select_and_gather_add. Formulas go the other way round
// than the library: from elements to places, not from places to elements.
#include <algorithm>
#include <cmath>

#include "samples/sample.h"
#include "weft/ir/window.h"

namespace weft::testing {

namespace {

using Values = std::vector<double>;
using Formula = std::function<Values(const std::vector<Values>&)>;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// Calls f(index) for all indices of `shape` in row-major order.
template <class F>
void for_all(const Dims& shape, F&& f) {
  Dims index(shape.size(), 0);
  for (std::int64_t n = product(shape); n > 0; --n) {
    f(std::as_const(index));
    for (std::size_t i = shape.size(); i-- > 0;) {
      if (++index[i] < shape[i]) break;
      index[i] = 0;
    }
  }
}
std::size_t position(const Dims& index, const Dims& shape) {
  std::int64_t p = 0;
  for (std::size_t i = 0; i < index.size(); ++i) p = p * shape[i] + index[i];
  return at(p);
}

std::int64_t dilated(std::int64_t n, std::int64_t d) { return n == 0 ? 0 : (n - 1) * d + 1; }
std::int64_t places(std::int64_t padded, std::int64_t window, std::int64_t stride) {
  return padded <= 0 || padded < window ? 0 : (padded - window) / stride + 1;
}

// ---- convolution ----

// "N0C1": where batch (N), features (C; of kernels O and I) and spatial axes (digits) are.
ConvDimensionNumbers numbers(const std::string& lhs, const std::string& rhs, const std::string& out) {
  const auto find = [](const std::string& s, char c) { return static_cast<std::int64_t>(s.find(c)); };
  ConvDimensionNumbers d{.input_batch = find(lhs, 'N'),
                         .input_feature = find(lhs, 'C'),
                         .kernel_output_feature = find(rhs, 'O'),
                         .kernel_input_feature = find(rhs, 'I'),
                         .output_batch = find(out, 'N'),
                         .output_feature = find(out, 'C')};
  for (std::size_t i = 0; i + 2 < lhs.size(); ++i) {
    const char c = static_cast<char>('0' + i);
    d.input_spatial.push_back(find(lhs, c));
    d.kernel_spatial.push_back(find(rhs, c));
    d.output_spatial.push_back(find(out, c));
  }
  return d;
}

// Every element of lhs times every element of rhs that it meets, added where they do.
Formula convolution_by_definition(ConvolutionParams p, Dims lhs, Dims rhs) {
  return [=](const std::vector<Values>& in) {
    const ConvDimensionNumbers& d = p.dimension_numbers;
    Dims out(lhs.size());
    const std::int64_t batch = lhs[at(d.input_batch)] / p.batch_group_count,
                       per_group = lhs[at(d.input_feature)] / p.feature_group_count,
                       outputs = rhs[at(d.kernel_output_feature)] / (p.feature_group_count * p.batch_group_count);
    out[at(d.output_batch)] = batch;
    out[at(d.output_feature)] = rhs[at(d.kernel_output_feature)];
    for (std::size_t i = 0; i < p.window_strides.size(); ++i)
      out[at(d.output_spatial[i])] =
          places(p.padding_low[i] + dilated(lhs[at(d.input_spatial[i])], p.lhs_dilation[i]) + p.padding_high[i],
                 dilated(rhs[at(d.kernel_spatial[i])], p.rhs_dilation[i]), p.window_strides[i]);
    Values y(at(product(out)));
    for_all(lhs, [&](const Dims& l) {
      for_all(rhs, [&](const Dims& r) {
        const std::int64_t feature_group = l[at(d.input_feature)] / per_group,
                           batch_group = l[at(d.input_batch)] / batch;
        const std::int64_t group = p.batch_group_count > 1 ? batch_group : feature_group;
        if (l[at(d.input_feature)] % per_group != r[at(d.kernel_input_feature)]) return;
        if (r[at(d.kernel_output_feature)] / outputs != group) return;
        Dims o(out.size());
        o[at(d.output_batch)] = l[at(d.input_batch)] % batch;
        o[at(d.output_feature)] = r[at(d.kernel_output_feature)];
        for (std::size_t i = 0; i < p.window_strides.size(); ++i) {
          std::int64_t tap = r[at(d.kernel_spatial[i])];
          if (std::count(p.reversed.begin(), p.reversed.end(), static_cast<std::int64_t>(i)))
            tap = rhs[at(d.kernel_spatial[i])] - 1 - tap;
          const std::int64_t where =
              l[at(d.input_spatial[i])] * p.lhs_dilation[i] + p.padding_low[i] - tap * p.rhs_dilation[i];
          if (where < 0 || where % p.window_strides[i] || where / p.window_strides[i] >= out[at(d.output_spatial[i])])
            return;
          o[at(d.output_spatial[i])] = where / p.window_strides[i];
        }
        y[position(o, out)] += in[0][position(l, lhs)] * in[1][position(r, rhs)];
      });
    });
    return y;
  };
}

void add_convolution(std::vector<Sample>& out) {
  const auto add = [&](std::string name, DType t, Dims lhs, Dims rhs, ConvolutionParams p, DType preferred) {
    const std::size_t rank = p.dimension_numbers.input_spatial.size();
    for (Dims* ones : {&p.window_strides, &p.lhs_dilation, &p.rhs_dilation})
      if (ones->empty()) ones->assign(rank, 1);
    for (Dims* zeros : {&p.padding_low, &p.padding_high})
      if (zeros->empty()) zeros->assign(rank, 0);
    p.preferred_element_type = preferred;
    Sample s{.name = "convolution_" + std::move(name), .op = OpCode::kConvolution, .params = ir::make_params(p)};
    if (is_inexact(t) && byte_size(t) >= 4) s.smooth_in = {0, 1};
    if ((t == f64 || t == f32 || t == i32) && !is_complex(preferred))
      s.formula = convolution_by_definition(p, lhs, rhs);
    s.tolerance = t == f64 ? 1e-13 : 1e-5;
    s.operands = {{t, std::move(lhs)}, {t, std::move(rhs)}};
    if (is_integer(t)) s.operands[0].low = s.operands[1].low = is_unsigned(t) ? 0 : -90;
    if (is_integer(t)) s.operands[0].high = s.operands[1].high = 90;
    out.push_back(std::move(s));
  };
  const ConvDimensionNumbers line = numbers("NC0", "OI0", "NC0"), image = numbers("NC01", "OI01", "NC01"),
                             last = numbers("N01C", "01IO", "N01C"), mixed = numbers("C0N1", "I1O0", "1N0C");
  const auto of = [&](std::string name, Dims lhs, Dims rhs, ConvolutionParams p) {
    add(std::move(name), f64, std::move(lhs), std::move(rhs), std::move(p), f64);
  };
  of("line", {2, 3, 5}, {4, 3, 2}, {.dimension_numbers = line});
  of("image", {1, 2, 5, 4}, {3, 2, 3, 2},
     {.dimension_numbers = image, .window_strides = {2, 1}, .padding_low = {1, 0}, .padding_high = {2, 1}});
  of("features_last", {2, 4, 4, 2}, {3, 2, 2, 3},
     {.dimension_numbers = last, .window_strides = {1, 2}, .padding_low = {1, 1}, .padding_high = {1, 1}});
  of("mixed_layouts", {2, 4, 3, 5}, {2, 2, 3, 3}, {.dimension_numbers = mixed, .window_strides = {2, 1}});
  of("lhs_dilated", {1, 2, 3, 2}, {2, 2, 2, 3},
     {.dimension_numbers = image, .padding_low = {1, 2}, .padding_high = {0, 1}, .lhs_dilation = {2, 3}});
  of("rhs_dilated", {1, 1, 6, 5}, {2, 1, 3, 2}, {.dimension_numbers = image, .rhs_dilation = {2, 3}});
  of("all_dilated_and_strided", {1, 2, 5, 4}, {2, 2, 2, 3},
     {.dimension_numbers = image,
      .window_strides = {3, 2},
      .padding_low = {2, 1},
      .padding_high = {1, 3},
      .lhs_dilation = {2, 3},
      .rhs_dilation = {3, 2}});
  of("negative_padding", {1, 2, 7, 6}, {2, 2, 2, 2},
     {.dimension_numbers = image, .padding_low = {-2, 1}, .padding_high = {-1, -3}});
  of("negative_padding_of_dilated", {2, 1, 4}, {1, 1, 3},
     {.dimension_numbers = line, .padding_low = {-2}, .padding_high = {-1}, .lhs_dilation = {3}});
  of("feature_groups", {2, 4, 4}, {6, 2, 2},
     {.dimension_numbers = line, .padding_low = {1}, .padding_high = {0}, .feature_group_count = 2});
  of("by_feature", {2, 3, 4, 3}, {6, 1, 2, 2},
     {.dimension_numbers = image, .window_strides = {2, 1}, .feature_group_count = 3});
  of("batch_groups", {4, 2, 4}, {6, 2, 2},
     {.dimension_numbers = line, .padding_low = {0}, .padding_high = {1}, .batch_group_count = 2});
  of("reversed", {1, 2, 4, 5}, {2, 2, 3, 2}, {.dimension_numbers = image, .reversed = {0}});
  of("all_reversed", {1, 1, 4, 5}, {2, 1, 3, 2},
     {.dimension_numbers = image, .padding_low = {2, 1}, .padding_high = {2, 0}, .reversed = {0, 1}});
  of("everything_by_feature", {4, 4, 2, 3}, {2, 2, 6, 2},
     {.dimension_numbers = mixed,
      .window_strides = {2, 1},
      .padding_low = {1, 2},
      .padding_high = {2, -1},
      .lhs_dilation = {1, 2},
      .rhs_dilation = {2, 1},
      .reversed = {1},
      .feature_group_count = 2});
  of("everything_by_batch", {2, 4, 4, 3}, {2, 2, 4, 2},
     {.dimension_numbers = mixed,
      .window_strides = {1, 2},
      .padding_low = {1, 2},
      .padding_high = {2, -1},
      .lhs_dilation = {2, 1},
      .rhs_dilation = {1, 2},
      .reversed = {0},
      .batch_group_count = 2});
  of("no_spatial_axes", {3, 2}, {4, 2}, {.dimension_numbers = numbers("NC", "OI", "NC")});
  of("volume", {1, 2, 3, 2, 3}, {2, 2, 2, 1, 2},
     {.dimension_numbers = numbers("NC012", "OI012", "NC012"), .padding_low = {1, 0, 0}, .padding_high = {0, 0, 1}});
  of("one_by_one", {2, 3, 2, 2}, {4, 3, 1, 1}, {.dimension_numbers = image});
  of("no_batch", {0, 2, 3}, {2, 2, 2}, {.dimension_numbers = line});
  of("no_features", {2, 0, 3}, {2, 0, 2}, {.dimension_numbers = line});
  of("no_output_features", {2, 2, 3}, {0, 2, 2}, {.dimension_numbers = line});
  of("kernel_too_large", {1, 2, 3}, {2, 2, 4}, {.dimension_numbers = line});
  of("no_window", {1, 2, 3}, {2, 2, 0}, {.dimension_numbers = line});
  of("of_padding_alone", {1, 2, 0}, {2, 2, 2}, {.dimension_numbers = line, .padding_low = {2}, .padding_high = {1}});
  of("larger", {3, 5, 9, 8}, {7, 5, 3, 3},
     {.dimension_numbers = image, .window_strides = {2, 2}, .padding_low = {1, 1}, .padding_high = {1, 1}});
  const ConvolutionParams padded{.dimension_numbers = line, .padding_low = {1}, .padding_high = {1}};
  for (const DType t : {f32, f16, bf16, c64, c128, i8, i32, i64, u8, u32, boolean})
    add(std::string(name(t)), t, {2, 2, 4}, {3, 2, 3}, padded, t);
  // Examples of the StableHLO interpreter's tests.
  const auto known = [&](std::string name, DType t, DType preferred, Dims rhs, double tap, ConvolutionParams p,
                         Values expected) {
    add(std::move(name), t, {1, 4, 4, 1}, std::move(rhs), std::move(p), preferred);
    Sample& s = out.back();
    s.operands[0].values = {1, 2, 5, 6, 3, 4, 7, 8, 10, 11, 14, 15, 12, 13, 16, 17};
    s.operands[1].values = {tap};
    s.expected = std::move(expected);
  };
  const auto every_fourth = [](ConvDimensionNumbers d) {
    return ConvolutionParams{.dimension_numbers = std::move(d), .window_strides = {4, 4}, .lhs_dilation = {2, 2}};
  };
  ConvolutionParams p = every_fourth(last);
  known("known", i64, i64, {3, 3, 1, 1}, 1, p, {10, 26, 46, 62});
  known("known_of_i8", i8, i32, {3, 3, 1, 1}, 10, p, {100, 260, 460, 620});
  p.padding_low = p.padding_high = {1, 1};
  known("known_padded", i64, i64, {3, 3, 1, 1}, 1, p, {1, 5, 10, 14});
  p = every_fourth(numbers("0N1C", "01IO", "N01C"));
  p.batch_group_count = 4;
  known("known_batch_groups", i64, i64, {1, 2, 1, 4}, 1, p, {1, 3, 10, 12, 5, 7, 14, 16});
  p = every_fourth(numbers("N0C1", "0I1O", "N01C"));
  p.feature_group_count = 2;
  known("known_feature_groups", i64, i64, {1, 2, 1, 4}, 1, p, {3, 3, 11, 11, 21, 21, 29, 29});

  constexpr std::pair<DType, DType> kWider[] = {{f16, f32}, {bf16, f32}, {f32, f64}, {i8, i32}, {u8, f32}, {f32, c64}};
  for (const auto& [from, to] : kWider)
    add(std::string(name(from)) + "_summed_in_" + std::string(name(to)), from, {1, 2, 4}, {2, 2, 2}, padded, to);
}

// ---- windows ----

Dims window_places(const Window& w, const Dims& shape) {
  Dims r;
  for (std::size_t i = 0; i < shape.size(); ++i)
    r.push_back(places(w.padding_low[i] + dilated(shape[i], w.base_dilations[i]) + w.padding_high[i],
                       dilated(w.dimensions[i], w.window_dilations[i]), w.strides[i]));
  return r;
}

// Whether the window at `place` sees element `e`.
bool sees(const Window& w, const Dims& place, const Dims& e) {
  for (std::size_t i = 0; i < e.size(); ++i) {
    const std::int64_t from = e[i] * w.base_dilations[i] + w.padding_low[i] - place[i] * w.strides[i];
    if (from < 0 || from % w.window_dilations[i] || from / w.window_dilations[i] >= w.dimensions[i]) return false;
  }
  return true;
}

Formula window_by_definition(Window w, Dims shape, double start, double (*f)(double, double)) {
  return [=](const std::vector<Values>& in) {
    Values y;
    for_all(window_places(w, shape), [&](const Dims& place) {
      y.push_back(start);
      for_all(shape, [&](const Dims& e) {
        if (sees(w, place, e)) y.back() = f(y.back(), in[0][position(e, shape)]);
      });
    });
    return y;
  };
}

Window window(Dims dimensions) {
  const std::size_t n = dimensions.size();
  return {std::move(dimensions), Dims(n, 1), Dims(n, 1), Dims(n, 1), Dims(n, 0), Dims(n, 0)};
}

// Windows worth looking at, and arrays under them.
struct Case {
  std::string name;
  Dims shape;
  Window window;
};
std::vector<Case> cases() {
  const auto one = [](std::int64_t n) { return Dims{n}; };
  return {
      {"image", {3, 4}, window({2, 2})},
      {"strided", {1, 4, 5, 1}, {{1, 2, 3, 1}, {1, 2, 2, 1}, {1, 1, 1, 1}, {1, 1, 1, 1}, {0, 1, 1, 0}, {0, 1, 0, 0}}},
      {"dilated_window", {7, 3}, {{3, 2}, {1, 1}, {1, 1}, {2, 1}, {0, 0}, {0, 0}}},
      {"dilated_base", {3, 3}, {{2, 3}, {1, 1}, {2, 3}, {1, 1}, {0, 1}, {1, 0}}},
      {"all_dilated", {4, 3}, {{3, 2}, {2, 3}, {3, 2}, {2, 3}, {2, 1}, {1, 2}}},
      {"negative_padding", {6, 5}, {{2, 2}, {1, 1}, {1, 1}, {1, 1}, {-1, 1}, {-2, -1}}},
      {"padded_beyond", {2}, {one(2), one(1), one(1), one(1), one(3), one(2)}},
      {"wide", {7}, {one(5), one(1), one(1), one(1), one(4), one(0)}},
      {"whole", {2, 3}, window({2, 3})},
      {"of_six", {8}, {one(6), one(2), one(1), one(1), one(1), one(1)}},
      {"too_large", {2, 2}, window({3, 1})},
      {"of_nothing", {0, 2}, {{2, 1}, {1, 1}, {1, 1}, {1, 1}, {2, 0}, {1, 0}}},
      {"no_rows", {0, 4}, window({1, 2})},
      {"scalar", {}, {}},
  };
}

void add_reduce_window(std::vector<Sample>& out) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  using enum ReduceKind;
  const auto add = [&](const std::string& name, ReduceKind kind, DType t, const Dims& shape, const Window& w,
                       std::vector<double> values = {}) {
    Sample s{.name = "reduce_window_" + std::string(enum_names(kind)[static_cast<std::size_t>(kind)]) + "_" + name,
             .op = OpCode::kReduceWindow,
             .params = ir::make_params(ReduceWindowParams{kind, w}),
             .operands = {{t, shape, -2, 2, std::move(values)}}};
    if (is_integer(t)) s.operands[0].low = -100, s.operands[0].high = 100;
    if (is_inexact(t) && byte_size(t) >= 4) s.smooth_in = {0};
    if (t == f64 || t == f32) {
      if (kind == kSum) s.formula = window_by_definition(w, shape, 0, [](double a, double b) { return a + b; });
      if (kind == kProd) s.formula = window_by_definition(w, shape, 1, [](double a, double b) { return a * b; });
      if (kind == kMax)
        s.formula = window_by_definition(w, shape, -kInf, [](double a, double b) { return std::max(a, b); });
      if (kind == kMin)
        s.formula = window_by_definition(w, shape, kInf, [](double a, double b) { return std::min(a, b); });
    }
    out.push_back(std::move(s));
  };
  const Window pairs{{1, 2}, {1, 1}, {1, 1}, {1, 1}, {0, 1}, {0, 0}};
  for (const ReduceKind kind : {kSum, kProd, kMax, kMin}) {
    for (const Case& c : cases()) add(c.name, kind, f64, c.shape, c.window);
    for (const DType t : {f32, f16, bf16, c64, c128, i8, i32, u16, i64, boolean})
      add(std::string(name(t)), kind, t, {2, 5}, pairs);
  }
  for (const ReduceKind kind : {kAnd, kOr, kXor})
    for (const DType t : {i8, u32, i64, boolean}) add(std::string(name(t)), kind, t, {2, 5}, pairs);
  add("with_zeros", kProd, f64, {7}, window({3}), {0, 2, -1.5, 0, 0, 1.25, 3});
  // Examples of the StableHLO interpreter's tests.
  for (const std::int64_t taps : {2, 3})
    out.push_back(
        {.name = "reduce_window_known_" + std::to_string(taps),
         .op = OpCode::kReduceWindow,
         .params = ir::make_params(ReduceWindowParams{kSum, {{taps, 1}, {4, 1}, {2, 1}, {3, 1}, {2, 0}, {1, 0}}}),
         .operands = {{i64, {3, 2}, 0, 0, {1, 2, 3, 4, 5, 6}}},
         .expected = taps == 2 ? Values{0, 0, 3, 4} : Values{5, 6}});
  out.push_back({.name = "reduce_window_max_of_nan",
                 .op = OpCode::kReduceWindow,
                 .params = ir::make_params(ReduceWindowParams{kMax, window({2})}),
                 .operands = {{f32, {4}, 0, 0, {1, std::nan(""), 3, 4}}},
                 .expected = {std::nan(""), std::nan(""), 4}});
}

// ---- selection ----

void add_selection(std::vector<Sample>& out) {
  const auto add = [&](OpCode op, const std::string& name, WindowSelect select, DType t, const Dims& shape,
                       const Window& w) {
    const bool scatter = op == OpCode::kSelectAndScatter;
    const bool largest = select == WindowSelect::kGe || select == WindowSelect::kGt;
    Sample s{.name = std::string(scatter ? "select_and_scatter_" : "select_and_gather_add_") +
                     std::string(kWindowSelectNames[static_cast<int>(select)]) + "_" + name,
             .op = op,
             .params = ir::make_params(WindowSelectParams{select, w}),
             .operands = {{t, shape}, {t, scatter ? window_places(w, shape) : shape}}};
    if (is_integer(t))
      for (SampleOperand& o : s.operands) o.low = -100, o.high = 100;
    if (is_inexact(t) && byte_size(t) >= 4) s.smooth_in = {1};
    if (t == f64)
      s.formula = [=](const std::vector<Values>& in) {
        Values y(scatter ? in[0].size() : 0);
        std::size_t o = 0;
        for_all(window_places(w, shape), [&](const Dims& place) {
          std::ptrdiff_t best = -1;
          for_all(shape, [&](const Dims& e) {
            const std::size_t p = position(e, shape);
            if (sees(w, place, e) && (best < 0 || (largest ? in[0][p] > in[0][at(best)] : in[0][p] < in[0][at(best)])))
              best = static_cast<std::ptrdiff_t>(p);
          });
          if (!scatter)
            y.push_back(best < 0 ? 0 : in[1][at(best)]);
          else if (best >= 0)
            y[at(best)] += in[1][o];
          ++o;
        });
        return y;
      };
    out.push_back(std::move(s));
  };
  const Window pairs{{1, 3}, {1, 2}, {1, 1}, {1, 1}, {0, 1}, {0, 0}};
  for (const OpCode op : {OpCode::kSelectAndScatter, OpCode::kSelectAndGatherAdd}) {
    for (const WindowSelect select : {WindowSelect::kGe, WindowSelect::kLe, WindowSelect::kGt, WindowSelect::kLt})
      for (const Case& c : cases()) add(op, c.name, select, f64, c.shape, c.window);
    for (const DType t : {f32, f16, bf16, c64, c128, i8, i32, u16, boolean})
      add(op, std::string(name(t)), WindowSelect::kGe, t, {2, 5}, pairs);
  }
  const auto known = [&](std::string name, OpCode op, WindowSelect select, Values x, Values y, Window w,
                         Values expected) {
    const auto n = static_cast<std::int64_t>(x.size()), m = static_cast<std::int64_t>(y.size());
    out.push_back({.name = std::move(name),
                   .op = op,
                   .params = ir::make_params(WindowSelectParams{select, std::move(w)}),
                   .operands = {{f32, {n}, 0, 0, std::move(x)}, {f32, {m}, 0, 0, std::move(y)}},
                   .expected = std::move(expected)});
  };
  // An example of the StableHLO interpreter's tests.
  out.push_back({.name = "select_and_scatter_known",
                 .op = OpCode::kSelectAndScatter,
                 .params = ir::make_params(
                     WindowSelectParams{WindowSelect::kGe, {{3, 1}, {2, 1}, {1, 1}, {1, 1}, {0, 0}, {1, 0}}}),
                 .operands = {{i64, {4, 2}, 0, 0, {1, 5, 2, 5, 3, 6, 4, 4}}, {i64, {2, 2}, 0, 0, {5, 6, 7, 8}}},
                 .expected = {0, 0, 0, 0, 5, 14, 7, 0}});
  const double nan = std::nan("");
  // The first of equals; NaN takes every place and keeps none.
  known("select_and_scatter_of_ties", OpCode::kSelectAndScatter, WindowSelect::kGe, {3, 3, 1, 3}, {1, 2, 4},
        window({2}), {1, 2, 0, 4});
  known("select_and_scatter_of_nan", OpCode::kSelectAndScatter, WindowSelect::kGe, {1, nan, 2, 5, nan}, {1, 2, 4},
        window({3}), {0, 0, 1, 2, 4});
  known("select_and_scatter_beside_padding", OpCode::kSelectAndScatter, WindowSelect::kGe, {-5, -6, -7}, {1, 2, 4},
        {{2}, {2}, {1}, {1}, {1}, {2}}, {1, 2, 0});
  known("select_and_gather_add_of_ties", OpCode::kSelectAndGatherAdd, WindowSelect::kLe, {3, 3, 1, 3}, {1, 2, 4, 8},
        window({2}), {1, 4, 4});
  // The last of equals.
  known("select_and_scatter_gt_of_ties", OpCode::kSelectAndScatter, WindowSelect::kGt, {3, 3, 1, 3}, {1, 2, 4},
        window({2}), {0, 3, 0, 4});
  known("select_and_scatter_gt_of_nan", OpCode::kSelectAndScatter, WindowSelect::kGt, {1, nan, 2, 5, nan}, {1, 2, 4},
        window({3}), {0, 0, 1, 2, 4});
  known("select_and_gather_add_lt_of_ties", OpCode::kSelectAndGatherAdd, WindowSelect::kLt, {3, 3, 1, 3}, {1, 2, 4, 8},
        window({2}), {2, 4, 4});
}

}  // namespace

std::vector<Sample> window_samples() {
  std::vector<Sample> out;
  add_convolution(out);
  add_reduce_window(out);
  add_selection(out);
  return out;
}

}  // namespace weft::testing
