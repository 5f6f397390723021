#include "weft/ir/op.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "samples/sample.h"
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

/// Result types, or the error's text.
std::string inferred(OpCode op, const Params& params, std::span<const Aval> in) {
  Avals out;
  try {
    infer(op, params.get(), in, out);
  } catch (const InternalError& e) {
    return "our fault: " + e.message();
  } catch (const Error& e) {
    return std::string(e.kind()) + ": " + e.message();
  }
  std::string s;
  for (const Aval a : out) s += (s.empty() ? "" : " ") + a.str();
  return s;
}

TEST(op, inference_counts_the_operands_of_every_operation) {
  for (const testing::Sample& s : testing::all_samples()) {
    const Arity arity = op_info(s.op).operands;
    Avals in;
    for (const testing::SampleOperand& o : s.operands) in.push_back(Aval(o.dtype, o.shape));
    const int n = static_cast<int>(in.size());
    EXPECT_GE(n, arity.least) << s.name;
    EXPECT_TRUE(arity.most == Arity::kAny || n <= arity.most) << s.name;
    EXPECT_EQ(inferred(s.op, s.params, in).find("our fault"), std::string::npos) << s.name;
    // Every smaller and some larger numbers: an error, or an op that takes any number.
    for (int m = 0; m < n + 3; ++m) {
      Avals some;
      for (int i = 0; i < m; ++i) some.push_back(in.empty() ? Aval(f32, Dims{2}) : in[static_cast<std::size_t>(i % n)]);
      const std::string text = inferred(s.op, s.params, some);
      EXPECT_EQ(text.find("our fault"), std::string::npos) << s.name << ": " << text;
      if (m < arity.least || (arity.most != Arity::kAny && m > arity.most)) {
        EXPECT_EQ(text, "ShapeError: " + std::string(op_name(s.op)) + ": there must be " +
                            (arity.least == arity.most ? "" : "at least ") + std::to_string(arity.least) +
                            (arity.least == 1 ? " operand" : " operands") + "; got " + std::to_string(m) + ".");
      }
    }
  }
}

TEST(op, parameters_that_are_missing_are_our_fault) {
  const Aval a(f32, Dims{2, 3});
  const Aval two[] = {a, a};
  for (int i = 0; i < kNumOps; ++i) {
    const auto op = static_cast<OpCode>(i);
    if (!op_info(op).parse) continue;
    const auto n = static_cast<std::size_t>(op_info(op).operands.least);
    if (n > 2) continue;
    EXPECT_EQ(inferred(op, Params(), std::span(two).first(n)), "our fault: infer: an op with parameters was given none")
        << op_name(op);
  }
}

}  // namespace
}  // namespace weft::ir
