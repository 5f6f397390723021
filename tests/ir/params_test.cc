#include "weft/ir/params.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "weft/base/error.h"
#include "weft/base/text.h"
#include "weft/ir/contraction.h"
#include "weft/ir/indexing.h"

namespace weft::ir {
namespace {

enum class Color : std::uint8_t { kRed, kGreen };
constexpr std::string_view kColorNames[] = {"red", "green"};
constexpr std::span<const std::string_view> enum_names(Color) { return kColorNames; }

struct Inner {
  std::int64_t depth = 0;
  std::optional<std::int64_t> limit;
  friend bool operator==(const Inner&, const Inner&) = default;
  static constexpr auto fields(auto&& visit) {
    return visit(field("depth", &Inner::depth), field("limit", &Inner::limit));
  }
};
struct Everything {
  Color color{};
  bool flag = false;
  std::int64_t count = 0;
  DType dtype = f32;
  std::string label;
  Dims dims;
  Inner inner;
  std::vector<Inner> list;
  static constexpr auto fields(auto&& visit) {
    using E = Everything;
    return visit(field("color", &E::color), field("flag", &E::flag), field("count", &E::count),
                 field("dtype", &E::dtype), field("label", &E::label), field("dims", &E::dims),
                 field("inner", &E::inner), field("list", &E::list));
  }
};

Everything full() {
  return {.color = Color::kGreen,
          .flag = true,
          .count = -7,
          .dtype = bf16,
          .label = "a b",
          .dims = {1, -2},
          .inner = {3, {}},
          .list = {{4, 5}}};
}

std::string text_of(const Params& p, std::size_t skip = 0) {
  std::vector<std::string> pieces;
  VarNames names;
  p->print(pieces, 0, names, skip);
  return join(pieces, " ");
}

template <class P>
Params read(const std::string& text, int variant = -1) {
  TextCursor in(text);
  Params p = parse_params<P>(in, variant);
  if (!in.at_end()) in.fail("the end");
  return p;
}

TEST(params, print_from_the_field_list) {
  EXPECT_EQ(text_of(make_params(full())),
            "color=green flag=True count=-7 dtype=bfloat16 label=\"a b\" dims=(1, -2) inner=(depth=3, limit=None) "
            "list=((depth=4, limit=5),)");
  EXPECT_EQ(text_of(make_params(Everything{})),
            "color=red flag=False count=0 dtype=float32 label=\"\" dims=() inner=(depth=0, limit=None) list=()");
  EXPECT_EQ(text_of(make_params(full()), 6), "inner=(depth=3, limit=None) list=((depth=4, limit=5),)");
}

TEST(params, parse_what_they_print) {
  for (const Everything& e : {full(), Everything{}}) {
    const Params p = make_params(e);
    EXPECT_TRUE(same_params(read<Everything>(text_of(p)), p)) << text_of(p);
    EXPECT_EQ(read<Everything>(text_of(p))->hash(), p->hash());
    // The first field may be in the operation's name.
    EXPECT_TRUE(same_params(read<Everything>(text_of(p, 1), p->variant()), p));
  }
}

TEST(params, every_field_counts_for_equality_and_hash) {
  const Params p = make_params(full());
  const auto differs = [&](auto&& change) {
    Everything e = full();
    change(e);
    const Params q = make_params(e);
    EXPECT_FALSE(same_params(p, q)) << text_of(q);
    EXPECT_NE(p->hash(), q->hash()) << text_of(q);
  };
  differs([](Everything& e) { e.color = Color::kRed; });
  differs([](Everything& e) { e.flag = false; });
  differs([](Everything& e) { e.count = 7; });
  differs([](Everything& e) { e.dtype = f16; });
  differs([](Everything& e) { e.label = "a_b"; });
  differs([](Everything& e) { e.dims = {-2, 1}; });
  differs([](Everything& e) { e.dims = {1, -2, 0}; });
  differs([](Everything& e) { e.inner.limit = 0; });
  differs([](Everything& e) { e.list.push_back({}); });
  EXPECT_TRUE(same_params(p, make_params(full())));
  EXPECT_FALSE(same_params(p, make_params(Inner{})));
  EXPECT_FALSE(same_params(p, Params()));
  EXPECT_TRUE(same_params(Params(), Params()));
}

TEST(params, the_variant_is_the_first_field_when_it_is_an_enum) {
  EXPECT_EQ(make_params(full())->variant(), 1);
  EXPECT_EQ(make_params(Inner{5, {}})->variant(), -1);
  EXPECT_EQ(make_params(ReduceParams{ReduceKind::kMax, {0}})->variant(), 2);
}

TEST(params, strings_survive_whatever_they_hold) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  for (const std::string& s : {all, std::string(), std::string("plain_1"), std::string("1st"), std::string("a\"b\\c"),
                               std::string("None"), std::string(1, '\0')}) {
    Everything e;
    e.label = s;
    const Params p = make_params(e);
    EXPECT_TRUE(same_params(read<Everything>(text_of(p)), p)) << text_of(p);
  }
}

TEST(params, fields_that_are_wrong_missing_or_out_of_order_are_refused) {
  const auto error = [](const std::string& text) {
    try {
      read<Inner>(text);
    } catch (const ParseError& e) {
      return e.message();
    }
    return std::string("no error");
  };
  EXPECT_EQ(error("depth=1 limit=2"), "no error");
  EXPECT_EQ(error("limit=2 depth=1"), "1:1: expected 'depth'; got 'limit'.");
  EXPECT_EQ(error("depth=1"), "1:8: expected 'limit'; got end of text.");
  EXPECT_EQ(error("depth=x limit=2"), "1:7: expected an integer; got 'x'.");
  EXPECT_EQ(error("depth 1 limit=2"), "1:7: expected '='; got '1'.");
  EXPECT_EQ(error("depth=1 limit=none"), "1:15: expected an integer; got 'none'.");
  EXPECT_EQ(error("depth=1 limit=2 more=3"), "1:17: expected the end; got 'more'.");
}

TEST(params, dot_general_numbers_print_as_two_pairs_of_lists) {
  const Params p = make_params(DotGeneralParams{{{1, 2}, {0, 1}, {0}, {2}}, f64});
  EXPECT_EQ(text_of(p), "dimension_numbers=(([1, 2], [0, 1]), ([0], [2])) preferred_element_type=float64");
  EXPECT_TRUE(same_params(read<DotGeneralParams>(text_of(p)), p));
}

TEST(params, variables_are_named_in_base_26_without_words_of_the_syntax) {
  VarNames names;
  std::vector<std::string> all;
  for (int i = 0; i < 20000; ++i) all.push_back(names.next());
  EXPECT_EQ(all[0], "a");
  EXPECT_EQ(all[25], "z");
  EXPECT_EQ(all[26], "ba");
  EXPECT_EQ(all[27], "bb");
  for (const char* word : {"in", "inf", "nan"}) EXPECT_EQ(std::count(all.begin(), all.end(), word), 0) << word;
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
}

}  // namespace
}  // namespace weft::ir
