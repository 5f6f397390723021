#include "weft/ir/checkpoint.h"

#include <gtest/gtest.h>

#include "harness/errors.h"
#include "weft/base/text.h"
#include "weft/ir/builder.h"
#include "weft/ir/parse.h"

namespace weft {
namespace {

using Kind = SaveRuleKind;

std::string text_of(const CheckpointPolicy& policy) {
  ir::ParamWriter w;
  print_param(w, policy);
  return w.text;
}

CheckpointPolicy parsed(const std::string& text) {
  TextCursor in(text);
  CheckpointPolicy policy;
  parse_param(in, policy);
  EXPECT_TRUE(in.at_end()) << text;
  return policy;
}

TEST(checkpoint_policy, prints_and_parses_back) {
  const CheckpointPolicy named(Kind::kSaveOnlyTheseNames, {"a", "b c"}), dots(Kind::kDotsSaveable);
  EXPECT_EQ(text_of({}), "nothing_saveable");
  EXPECT_EQ(text_of(named), "save_only_these_names(a, \"b c\")");
  EXPECT_EQ(text_of(dots | named), "dots_saveable | save_only_these_names(a, \"b c\")");
  EXPECT_EQ(text_of(CheckpointPolicy(Kind::kSaveAnyNamesButThese)), "save_any_names_but_these()");
  for (const CheckpointPolicy& p : {CheckpointPolicy(), named, dots, dots | named, named | dots}) {
    EXPECT_EQ(parsed(text_of(p)), p);
    EXPECT_EQ(hash_param(parsed(text_of(p))), hash_param(p));
  }
  EXPECT_NE(hash_param(dots), hash_param(named));
  EXPECT_FALSE(dots == named);
  for (const char* wrong : {"", "all", "dots_saveable |", "save_only_these_names", "save_only_these_names(a"})
    EXPECT_EQ(testing::error_of([&] { parsed(wrong); }).substr(0, 10), "ParseError") << wrong;
}

// Which of the equations may be kept, as "0110...".
std::string saveable(const CheckpointPolicy& policy) {
  static const ir::Jaxpr program = ir::parse(R"({ lambda ; a:f32[2,2] b:f32[3,2,2]. let
    c:f32[2,2] = dot_general[dimension_numbers=(([1], [0]), ([], [])) preferred_element_type=float32] a a
    d:f32[2,2] = name[name=x] c
    e:f32[2,2] = sin d
    f:f32[2,2] = name[name=y] e
    g:f32[3,2,2] = dot_general[dimension_numbers=(([2], [1]), ([0], [0])) preferred_element_type=float32] b b
    h:f32[2,2] = name[name=x] a
  in (f, g, h) })");
  std::string s;
  for (const bool b : saveable_eqns(policy, program)) s += b ? '1' : '0';
  return s;
}

TEST(checkpoint_policy, keeps_results_by_operation_and_by_name) {
  EXPECT_EQ(saveable({}), "000000");
  EXPECT_EQ(saveable(Kind::kEverythingSaveable), "111111");
  EXPECT_EQ(saveable(Kind::kDotsSaveable), "100010");
  EXPECT_EQ(saveable(Kind::kDotsWithNoBatchDimsSaveable), "100000");
  EXPECT_EQ(saveable({Kind::kSaveOnlyTheseNames, {"x"}}), "010001");
  EXPECT_EQ(saveable({Kind::kSaveAnyNamesButThese, {"x"}}), "000100");
  EXPECT_EQ(saveable({Kind::kSaveAnythingExceptTheseNames, {"x"}}), "001110");
  EXPECT_EQ(saveable({Kind::kSaveAnythingExceptTheseNames, {"y"}}), "110011");
  EXPECT_EQ(saveable(CheckpointPolicy(Kind::kDotsSaveable) | CheckpointPolicy(Kind::kSaveOnlyTheseNames, {"y"})),
            "100110");
}

}  // namespace
}  // namespace weft
