// Samples of operations that make, reshape, slice and join arrays.
#include "samples/sample.h"
#include "weft/ir/shape.h"

namespace weft::testing {

std::vector<Sample> shape_samples() {
  using ir::make_params;
  std::vector<Sample> s;
  s.push_back({"iota_f32", OpCode::kIota, make_params(IotaParams{1, f32, {2, 3}}), {}, {}, {0, 1, 2, 0, 1, 2}});
  s.push_back({"iota_i64_first", OpCode::kIota, make_params(IotaParams{0, i64, {3, 2}}), {}, {}, {0, 0, 1, 1, 2, 2}});
  s.push_back({"iota_empty", OpCode::kIota, make_params(IotaParams{0, u8, {0, 2}}), {}});
  for (const DType t : {f64, f32, c128, i32, boolean, bf16}) {
    const std::string suffix = "_" + std::string(name(t));
    const std::vector<int> smooth = is_inexact(t) ? std::vector<int>{0} : std::vector<int>{};
    s.push_back({"reshape" + suffix, OpCode::kReshape, make_params(ReshapeParams{{3, 2, 2}}), {{t, {2, 6}}}, smooth});
    s.push_back({"transpose" + suffix, OpCode::kTranspose, make_params(TransposeParams{{2, 0, 1}}), {{t, {2, 3, 4}}}, smooth});
    s.push_back({"reverse" + suffix, OpCode::kReverse, make_params(ReverseParams{{0, 2}}), {{t, {2, 3, 2}}}, smooth});
    s.push_back({"broadcast" + suffix, OpCode::kBroadcastInDim, make_params(BroadcastInDimParams{{1}, {2, 3, 2}}), {{t, {3}}}, smooth});
    s.push_back({"slice" + suffix, OpCode::kSlice, make_params(SliceParams{{4, 5}, {1, 0}, {1, 2}}), {{t, {4, 6}}}, smooth});
  }
  s.push_back({"reshape_to_scalar", OpCode::kReshape, make_params(ReshapeParams{{}}), {{f64, {1, 1}}}, {0}});
  s.push_back({"reshape_empty", OpCode::kReshape, make_params(ReshapeParams{{3, 0}}), {{f32, {0, 2}}}});
  s.push_back({"broadcast_swapped", OpCode::kBroadcastInDim, make_params(BroadcastInDimParams{{2, 0}, {3, 2, 2}}), {{f64, {2, 3}}}, {0}});
  s.push_back({"broadcast_ones", OpCode::kBroadcastInDim, make_params(BroadcastInDimParams{{0, 1}, {4, 3}}), {{f64, {1, 3}}}, {0}});
  s.push_back({"broadcast_scalar", OpCode::kBroadcastInDim, make_params(BroadcastInDimParams{{}, {2, 2}}), {{f64, {}}}, {0}});
  s.push_back({"broadcast_to_empty", OpCode::kBroadcastInDim, make_params(BroadcastInDimParams{{1}, {0, 3}}), {{f32, {3}}}});
  s.push_back({"slice_values", OpCode::kSlice, make_params(SliceParams{{7}, {1}, {3}}), {{f32, {8}, 0, 0, {0, 1, 2, 3, 4, 5, 6, 7}}}, {}, {1, 4}});
  s.push_back({"slice_empty", OpCode::kSlice, make_params(SliceParams{{2}, {2}, {1}}), {{f64, {4}}}, {0}});

  const SampleOperand index{i32, {}, 0, 0, {1}}, beyond{i32, {}, 0, 0, {9}}, below{i64, {}, 0, 0, {-3}};
  s.push_back({"dynamic_slice", OpCode::kDynamicSlice, make_params(DynamicSliceParams{{2, 2}}), {{f64, {3, 4}}, index, index}, {0}});
  s.push_back({"dynamic_slice_clamped", OpCode::kDynamicSlice, make_params(DynamicSliceParams{{2}}),
               {{f64, {5}, 0, 0, {0, 1, 2, 3, 4}}, beyond}, {0}, {3, 4}});
  s.push_back({"dynamic_slice_below", OpCode::kDynamicSlice, make_params(DynamicSliceParams{{2}}),
               {{f32, {5}, 0, 0, {0, 1, 2, 3, 4}}, below}, {0}, {0, 1}});
  s.push_back({"dynamic_slice_of_scalar", OpCode::kDynamicSlice, make_params(DynamicSliceParams{{}}), {{f64, {}}}, {0}});
  s.push_back({"dynamic_update_slice", OpCode::kDynamicUpdateSlice, {}, {{f64, {3, 4}}, {f64, {2, 3}}, index, index}, {0, 1}});
  s.push_back({"dynamic_update_slice_clamped", OpCode::kDynamicUpdateSlice, {},
               {{f64, {4}, 0, 0, {0, 1, 2, 3}}, {f64, {2}, 0, 0, {8, 9}}, beyond}, {0, 1}, {0, 1, 8, 9}});
  s.push_back({"concatenate", OpCode::kConcatenate, make_params(ConcatenateParams{1}), {{f64, {2, 2}}, {f64, {2, 1}}, {f64, {2, 3}}}, {0, 1, 2}});
  s.push_back({"concatenate_with_empty", OpCode::kConcatenate, make_params(ConcatenateParams{0}), {{f64, {0, 2}}, {f64, {3, 2}}}, {1}});
  s.push_back({"concatenate_bool", OpCode::kConcatenate, make_params(ConcatenateParams{0}), {{boolean, {2}}, {boolean, {3}}}});
  s.push_back({"pad_around", OpCode::kPad, make_params(PadParams{{2}, {3}, {0}}), {{f32, {4}, 0, 0, {1, 2, 3, 4}}, {f32, {}, 0, 0, {0}}}, {},
               {0, 0, 1, 2, 3, 4, 0, 0, 0}});
  s.push_back({"pad_between", OpCode::kPad, make_params(PadParams{{0}, {0}, {1}}), {{f32, {4}, 0, 0, {1, 2, 3, 4}}, {f32, {}, 0, 0, {0}}}, {},
               {1, 0, 2, 0, 3, 0, 4}});
  s.push_back({"pad_negative", OpCode::kPad, make_params(PadParams{{-1}, {-2}, {0}}), {{f32, {5}, 0, 0, {1, 2, 3, 4, 5}}, {f32, {}, 0, 0, {0}}}, {},
               {2, 3}});
  s.push_back({"pad_all_kinds", OpCode::kPad, make_params(PadParams{{1, -1}, {-1, 2}, {2, 1}}), {{f64, {3, 4}}, {f64, {}}}, {0, 1}});
  s.push_back({"pad_empty", OpCode::kPad, make_params(PadParams{{1}, {1}, {3}}), {{f64, {0}}, {f64, {}}}, {1}});
  s.push_back({"optimization_barrier", OpCode::kOptimizationBarrier, {}, {{f64, {2}}, {i32, {}}, {f64, {3}}}, {0, 2}});
  s.push_back({"stop_gradient", OpCode::kStopGradient, {}, {{f64, {3}}}});
  return s;
}

}  // namespace weft::testing
