#include "weft/ir/op.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "weft/base/error.h"

namespace weft::ir {
namespace {

TEST(op, names_are_unique_and_found) {
  std::set<std::string_view> names, texts;
  for (int i = 0; i < kNumOps; ++i) {
    const auto op = static_cast<OpCode>(i);
    EXPECT_TRUE(names.insert(op_name(op)).second) << op_name(op);
    EXPECT_TRUE(texts.insert(op_text(op)).second) << op_text(op);
    OpCode found{};
    int variant = 0;
    ASSERT_TRUE(find_op(op_name(op), found, variant)) << op_name(op);
    // scatter is also the name of its first variant.
    EXPECT_EQ(found, op) << op_name(op);
    ASSERT_TRUE(find_op(op_text(op), found, variant)) << op_text(op);
    EXPECT_EQ(found, op) << op_text(op);
    for (std::size_t v = 0; v < op_info(op).variants.size(); ++v) {
      ASSERT_TRUE(find_op(op_info(op).variants[v], found, variant));
      EXPECT_EQ(found, op);
      EXPECT_EQ(variant, static_cast<int>(v));
    }
  }
  OpCode op{};
  int variant = 0;
  EXPECT_FALSE(find_op("frobnicate", op, variant));
  EXPECT_FALSE(find_op("", op, variant));
}

TEST(op, keywords_of_cpp_lose_their_underscore) {
  EXPECT_EQ(op_name(OpCode::kAnd), "and");
  EXPECT_EQ(op_name(OpCode::kNot), "not");
  EXPECT_EQ(op_name(OpCode::kXor), "xor");
}

TEST(op, parameters_that_are_missing_are_our_fault) {
  const Aval a(f32, Dims{2, 3});
  const Aval two[] = {a, a};
  for (int i = 0; i < kNumOps; ++i) {
    const auto op = static_cast<OpCode>(i);
    if (!op_info(op).parse) continue;
    const auto n = static_cast<std::size_t>(op_info(op).operands.least);
    if (n > 2) continue;
    Avals out;
    try {
      infer(op, nullptr, std::span(two).first(n), out);
      ADD_FAILURE() << op_name(op) << " must not take missing parameters";
    } catch (const InternalError& e) {
      EXPECT_EQ(e.message(), "infer: an op with parameters was given none") << op_name(op);
    }
  }
}

}  // namespace
}  // namespace weft::ir
