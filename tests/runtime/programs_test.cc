// Operations with programs, run by compiled forms of those, against their reference evaluation.
#include "weft/runtime/programs.h"

#include <gtest/gtest.h>

#include <set>

#include "harness/values.h"
#include "samples/sample.h"
#include "weft/ir/nested.h"
#include "weft/ir/parse.h"
#include "weft/ir/programs.h"
#include "weft/runtime/reference.h"

namespace weft {
namespace {

TEST(programs, run_compiled_as_by_reference) {
  std::set<OpCode> seen;
  for (const testing::Sample& s : testing::all_samples()) {
    if (!ir::runs_programs(s.op)) continue;
    seen.insert(s.op);
    for (int example = 0; example < 3; ++example) {
      const Arrays args = testing::make_operands(s, example);
      const Call call{s.op, s.params, args};
      Arrays got, want;
      run_programs(call, got);
      reference_evaluate(default_client(), call, want);
      EXPECT_EQ(testing::difference(got, want, 1e-12), "") << s.name;
    }
  }
  EXPECT_EQ(seen, (std::set<OpCode>{OpCode::kCall, OpCode::kCase, OpCode::kWhile, OpCode::kScan, OpCode::kComposite,
                                    OpCode::kCheckpoint, OpCode::kCustomJvpCall, OpCode::kCustomVjpCall,
                                    OpCode::kCustomVmapCall, OpCode::kCustomLinearSolve}));
}

TEST(programs, an_index_out_of_range_means_the_last_branch) {
  const ir::Params params = ir::make_params(
      CaseParams{{ir::parse("{ lambda ; . let  in (0:i32[],) }"), ir::parse("{ lambda ; . let  in (1:i32[],) }")}});
  for (const std::int32_t i : {1, 2, -1, INT32_MAX, INT32_MIN}) {
    const Arrays index{Array(i)};
    Arrays outs;
    run_programs({OpCode::kCase, params, index}, outs);
    EXPECT_EQ(outs[0].item<std::int32_t>(), 1) << i;
  }
}

}  // namespace
}  // namespace weft
