#include "testing/dimensions.h"

#include <gtest/gtest.h>

#include "harness/errors.h"
#include "testing/shapes.h"
#include "weft/weft.h"

namespace weft::testing {
namespace {

Dimensions dims() { return {{'B', 3}, {'T', 5}, {'N', 7}}; }

TEST(dimensions, make_shapes_of_letters) {
  EXPECT_EQ(ShapeView(dims().shape("NBT")), (Shape{7, 3, 5}));
  EXPECT_EQ(ShapeView(dims().shape("")), (Shape{}));
  EXPECT_EQ(ShapeView(dims().shape("BT12")), (Shape{3, 5, 1, 2}));
  EXPECT_EQ(ShapeView(dims().shape("(BT)N")), (Shape{15, 7}));
  EXPECT_EQ(dims().size("BT"), 15);
  EXPECT_EQ(dims()["BT*(N2)"].str(), "[3,5,*,14]");
  EXPECT_EQ(dims().str(), "Dimensions(B=3, N=7, T=5)");
}

TEST(dimensions, are_for_assertions_and_arrays) {
  const Dimensions d = dims();
  const Array x = np::zeros(d.shape("BTN"));
  assert_shape(x, d["BTN"]);
  assert_shape(x, d["B**"]);
  assert_shapes({x, np::sum(x, 0)}, {d["BTN"], d["TN"]});
  EXPECT_THROW(assert_shape(x, d["BNT"]), Error);
}

TEST(dimensions, can_be_set_and_erased) {
  Dimensions d = dims();
  d.set("XY", np::ones({2, 4}).shape());
  d.set("__M", {8, 9, 10});
  d.set('W', std::nullopt);
  EXPECT_EQ(d.str(), "Dimensions(B=3, M=10, N=7, T=5, W=*, X=2, Y=4)");
  EXPECT_EQ(d["BW"].str(), "[3,*]");
  d.erase("XYMW");
  EXPECT_EQ(d.str(), dims().str());
}

TEST(dimensions, say_what_is_wrong) {
  Dimensions d = dims();
  EXPECT_EQ(error_of([&] { d["BQ"]; }),
            "ValueError: Dimensions: every letter must have a size in Dimensions(B=3, N=7, T=5); got \"BQ\".");
  EXPECT_EQ(error_of([&] { d.shape("B*"); }), "ValueError: Dimensions: every size must be known; got \"B*\".");
  EXPECT_EQ(error_of([&] { d["(B*)"]; }), "ValueError: Dimensions: sizes in parentheses must be known; got \"(B*)\".");
  for (const char* key : {"(BT", "((B)T)", "()"})
    EXPECT_EQ(
        error_of([&] { d[key]; }),
        "ValueError: Dimensions: parentheses must match, and have letters in them; got \"" + std::string(key) + "\".");
  EXPECT_EQ(error_of([&] { d["BT)"]; }), "ValueError: Dimensions: parentheses must match; got \"BT)\".");
  EXPECT_EQ(error_of([&] { d.set("B", {1, 2}); }),
            "ValueError: Dimensions: there must be a letter for each size; got \"B\" for [1,2].");
  EXPECT_EQ(error_of([&] { d.set("B1", {1, 2}); }), "ValueError: Dimensions: names must be letters; got \"B1\".");
  EXPECT_EQ(error_of([&] { Dimensions{{'*', 3}}; }), "ValueError: Dimensions: names must be letters; got \"*\".");
  EXPECT_EQ(error_of([&] { d.erase("BQ"); }),
            "ValueError: Dimensions: every letter must have a size in Dimensions(B=3, N=7, T=5); got \"BQ\".");
  EXPECT_EQ(d.str(), dims().str());  // as it was
}

}  // namespace
}  // namespace weft::testing
