// Samples of gather, scatter, sort, random bits and calls.
#include "samples/sample.h"
#include "weft/ir/call.h"
#include "weft/ir/indexing.h"
#include "weft/ir/parse.h"

namespace weft::testing {

std::vector<Sample> indexing_samples() {
  using ir::make_params;
  std::vector<Sample> s;
  const SampleOperand inside{i32, {3, 1}, 0, 0, {2, 0, 1}}, outside{i32, {3, 1}, 0, 0, {1, 7, -2}};
  const GatherDimensionNumbers rows{{1}, {0}, {}, {}, {0}};
  const auto gather = [&](std::string name, GatherDimensionNumbers d, IndexMode mode, Dims sizes, SampleOperand x, SampleOperand i,
                          std::vector<double> expected = {}) {
    const bool smooth = is_inexact(x.dtype);
    s.push_back({"gather_" + std::move(name), OpCode::kGather, make_params(GatherParams{std::move(d), mode, std::move(sizes)}),
                 {std::move(x), std::move(i)}, smooth ? std::vector<int>{0} : std::vector<int>{}, std::move(expected)});
  };
  gather("rows", rows, IndexMode::kClip, {1, 2}, {f64, {3, 2}}, inside);
  gather("rows_f32", rows, IndexMode::kPromise, {1, 2}, {f32, {3, 2}}, inside);
  gather("clipped", {{}, {0}, {}, {}, {0}}, IndexMode::kClip, {1}, {f64, {3}, 0, 0, {5, 6, 7}}, outside, {6, 7, 5});
  gather("filled_integers", {{}, {0}, {}, {}, {0}}, IndexMode::kFillOrDrop, {1}, {i32, {3}, 0, 0, {5, 6, 7}}, outside,
         {6, -2147483648.0, -2147483648.0});
  gather("zeros", {{}, {0}, {}, {}, {0}}, IndexMode::kZeroOrDrop, {1}, {f64, {3}, 0, 0, {5, 6, 7}}, outside, {6, 0, 0});
  gather("filled", {{}, {0}, {}, {}, {0}}, IndexMode::kFillOrDrop, {1}, {f64, {3}}, inside);
  gather("windows", {{0, 2}, {}, {}, {}, {0, 1}}, IndexMode::kClip, {2, 2}, {f64, {3, 4}}, {i32, {3, 2}, 0, 0, {0, 1, 1, 2, 9, 0}});
  gather("batched", {{1}, {1}, {0}, {0}, {1}}, IndexMode::kClip, {1, 1, 2}, {f64, {3, 4, 2}}, {i64, {3, 1}, 0, 0, {3, 0, 2}});
  gather("no_components", {{0}, {}, {}, {}, {}}, IndexMode::kClip, {2}, {f64, {3}}, {i32, {2, 0}});

  const ScatterDimensionNumbers into_rows{{1}, {0}, {}, {}, {0}}, elements{{}, {0}, {}, {}, {0}};
  const auto scatter = [&](std::string name, ScatterKind kind, ScatterDimensionNumbers d, IndexMode mode, bool unique, SampleOperand x,
                           SampleOperand i, SampleOperand u, std::vector<int> smooth, std::vector<double> expected = {}) {
    s.push_back({"scatter_" + std::move(name), OpCode::kScatter, make_params(ScatterParams{kind, std::move(d), mode, unique}),
                 {std::move(x), std::move(i), std::move(u)}, std::move(smooth), std::move(expected)});
  };
  const SampleOperand twice{i32, {3, 1}, 0, 0, {1, 0, 1}};
  scatter("set_rows", ScatterKind::kSet, into_rows, IndexMode::kFillOrDrop, true, {f64, {3, 2}}, inside, {f64, {3, 2}}, {0, 2});
  scatter("set_last_wins", ScatterKind::kSet, elements, IndexMode::kFillOrDrop, false, {f64, {3}, 0, 0, {5, 6, 7}}, twice,
          {f64, {3}, 0, 0, {1, 2, 3}}, {0, 2}, {2, 3, 7});
  scatter("add_twice", ScatterKind::kAdd, elements, IndexMode::kFillOrDrop, false, {f64, {3}, 0, 0, {5, 6, 7}}, twice,
          {f64, {3}, 0, 0, {1, 2, 3}}, {0, 2}, {7, 10, 7});
  scatter("add_dropped", ScatterKind::kAdd, elements, IndexMode::kFillOrDrop, false, {f64, {3}, 0, 0, {5, 6, 7}}, outside,
          {f64, {3}, 0, 0, {1, 2, 3}}, {0, 2}, {5, 7, 7});
  scatter("add_clipped", ScatterKind::kAdd, elements, IndexMode::kClip, false, {f64, {3}, 0, 0, {5, 6, 7}}, outside,
          {f64, {3}, 0, 0, {1, 2, 3}}, {0, 2}, {8, 7, 9});
  scatter("mul_unique", ScatterKind::kMul, elements, IndexMode::kFillOrDrop, true, {f64, {3}}, inside, {f64, {3}}, {0, 2});
  scatter("mul_twice", ScatterKind::kMul, elements, IndexMode::kFillOrDrop, false, {f64, {3}, 0, 0, {5, 6, 7}}, twice,
          {f64, {3}, 0, 0, {2, 3, 4}}, {0}, {15, 48, 7});
  scatter("min", ScatterKind::kMin, elements, IndexMode::kFillOrDrop, false, {f64, {3}}, twice, {f64, {3}}, {0, 2});
  scatter("max", ScatterKind::kMax, elements, IndexMode::kFillOrDrop, false, {f64, {3}}, twice, {f64, {3}}, {0, 2});
  scatter("max_i32", ScatterKind::kMax, elements, IndexMode::kFillOrDrop, false, {i32, {3}, 0, 0, {5, 6, 7}}, twice,
          {i32, {3}, 0, 0, {9, 1, 8}}, {}, {5, 9, 7});
  scatter("set_windows", ScatterKind::kSet, {{0, 2}, {}, {}, {}, {0, 1}}, IndexMode::kFillOrDrop, false, {f64, {3, 4}},
          {i32, {2, 2}, 0, 0, {0, 1, 1, 2}}, {f64, {2, 2, 2}}, {0, 2});
  scatter("add_batched", ScatterKind::kAdd, {{1}, {1}, {0}, {0}, {1}}, IndexMode::kClip, false, {f64, {3, 4, 2}},
          {i32, {3, 1}, 0, 0, {3, 0, 2}}, {f64, {3, 2}}, {0, 2});

  s.push_back({"sort_values", OpCode::kSort, make_params(SortParams{0, 1}), {{f32, {4}, 0, 0, {3, -1, 2, 0}}}, {}, {-1, 0, 2, 3}});
  s.push_back({"sort_rows", OpCode::kSort, make_params(SortParams{0, 1}), {{f64, {4, 2}}}, {0}});
  s.push_back({"sort_carrying", OpCode::kSort, make_params(SortParams{1, 1}), {{f64, {2, 4}}, {f64, {2, 4}}}, {0, 1}});
  s.push_back({"sort_stable", OpCode::kSort, make_params(SortParams{0, 1}), {{i32, {4}, 0, 0, {1, 0, 1, 0}}, {i32, {4}, 0, 0, {0, 1, 2, 3}}}, {}, {0, 0, 1, 1}});
  s.push_back({"sort_two_keys", OpCode::kSort, make_params(SortParams{0, 2}), {{i32, {4}, 0, 0, {1, 0, 1, 0}}, {f64, {4}}}, {1}});
  s.push_back({"threefry_zero", OpCode::kThreefry2x32, {},
               {{u32, {}, 0, 0, {0}}, {u32, {}, 0, 0, {0}}, {u32, {1}, 0, 0, {0}}, {u32, {1}, 0, 0, {0}}}, {}, {0x6b200159}});
  s.push_back({"threefry_ones", OpCode::kThreefry2x32, {},
               {{u32, {}, 0, 0, {4294967295.0}}, {u32, {}, 0, 0, {4294967295.0}}, {u32, {2}, 0, 0, {4294967295.0}}, {u32, {2}, 0, 0, {4294967295.0}}},
               {}, {0x1cb996fc, 0x1cb996fc}});
  s.push_back({"threefry_pi", OpCode::kThreefry2x32, {},
               {{u32, {}, 0, 0, {0x13198a2e}}, {u32, {}, 0, 0, {0x03707344}}, {u32, {}, 0, 0, {0x243f6a88}}, {u32, {}, 0, 0, {0x85a308d3}}},
               {}, {0xc4923a9c}});
  s.push_back({"threefry_keys_by_element", OpCode::kThreefry2x32, {}, {{u32, {3}, 0, 99}, {u32, {3}, 0, 99}, {u32, {3}, 0, 99}, {u32, {3}, 0, 99}}});
  s.push_back({"call", OpCode::kCall,
               make_params(CallParams{"f", ir::parse("{ lambda ; a:f64[3] b:f64[3]. let c:f64[3] = mul a b; d:f64[3] = sin c in (d, a) }")}),
               {{f64, {3}}, {f64, {3}}}, {0, 1}});
  return s;
}

}  // namespace weft::testing
