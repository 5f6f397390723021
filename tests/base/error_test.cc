#include "weft/base/error.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(error, text_is_message_then_place_then_notes_then_hint) {
  const LocationScope scope(SourceLocation("/home/user/model.cc", 42));
  ShapeError error("dot_general: contracting sizes must match; got 3 and 4.", "rhs looks transposed.");
  error.add_note("while tracing jit(train_step) at train.cc:18");
  error.add_note("while tracing grad(loss) at train.cc:30");
  EXPECT_STREQ(error.what(),
               "dot_general: contracting sizes must match; got 3 and 4.\n"
               "  at model.cc:42\n"
               "  while tracing jit(train_step) at train.cc:18\n"
               "  while tracing grad(loss) at train.cc:30\n"
               "hint: rhs looks transposed.");
  EXPECT_EQ(error.message(), "dot_general: contracting sizes must match; got 3 and 4.");
  EXPECT_EQ(error.hint(), "rhs looks transposed.");
  EXPECT_EQ(error.notes().size(), 2u);
  EXPECT_EQ(error.location().line, 42u);
}

TEST(error, without_place_or_hint_the_text_is_the_message) {
  EXPECT_STREQ(DTypeError("add: dtypes must be equal; got f32 and i32.").what(),
               "add: dtypes must be equal; got f32 and i32.");
}

TEST(error, only_internal_errors_blame_weft) {
  EXPECT_STREQ(InternalError("jaxpr: a variable is used before it is defined.").what(),
               "jaxpr: a variable is used before it is defined.\n  this is a bug in Weft; please report it");
  EXPECT_EQ(std::string(ValueError("x").what()).find("bug"), std::string::npos);
}

template <class E>
void expect_kind(const char* kind) {
  try {
    throw E("text");
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), kind);
  }
}

TEST(error, every_class_knows_its_name_and_is_caught_as_error) {
  expect_kind<ShapeError>("ShapeError");
  expect_kind<DTypeError>("DTypeError");
  expect_kind<IndexError>("IndexError");
  expect_kind<ConcretizationError>("ConcretizationError");
  expect_kind<LeakError>("LeakError");
  expect_kind<NotDifferentiableError>("NotDifferentiableError");
  expect_kind<UnboundAxisError>("UnboundAxisError");
  expect_kind<TreeError>("TreeError");
  expect_kind<DonatedError>("DonatedError");
  expect_kind<ParseError>("ParseError");
  expect_kind<BackendError>("BackendError");
  expect_kind<ValueError>("ValueError");
  expect_kind<InternalError>("InternalError");
}

TEST(error, a_note_added_while_passing_outwards_survives_rethrow) {
  try {
    try {
      throw IndexError("slice: start must be in range; got 5.");
    } catch (Error& e) {
      e.add_note("while tracing f");
      throw;
    }
  } catch (const std::exception& e) {
    EXPECT_STREQ(e.what(), "slice: start must be in range; got 5.\n  while tracing f");
  }
}

TEST(error, internal_check_throws_only_when_false) {
  EXPECT_NO_THROW(internal_check(true, "unused"));
  EXPECT_THROW(internal_check(false, "broken"), InternalError);
}

TEST(error, names_the_function_that_the_user_called) {
  const auto message = [] { return ShapeError("dot_general: sizes must match; got 3 and 4.").message(); };
  EXPECT_EQ(message(), "dot_general: sizes must match; got 3 and 4.");
  const LocationScope outer(SourceLocation("model.cc", 3), "dot");
  const LocationScope inner(SourceLocation("products.cc", 7), "multiply");
  EXPECT_EQ(message(), "dot: sizes must match; got 3 and 4.");
  EXPECT_EQ(IndexError("at.set: there must be an index; got none.").message(),
            "dot: there must be an index; got none.");
  // What does not start with an operation is left alone, and so are faults of ours.
  EXPECT_EQ(ParseError("1:2: expected a name; got '.'.").message(), "1:2: expected a name; got '.'.");
  EXPECT_EQ(ShapeError("a text: with a colon").message(), "a text: with a colon");
  EXPECT_EQ(InternalError("plan: no inputs").message(), "plan: no inputs");
  {
    // The user's own code inside a transformation starts anew.
    const ForcedLocation hidden{SourceLocation()};
    EXPECT_EQ(message(), "dot_general: sizes must match; got 3 and 4.");
  }
  EXPECT_EQ(message(), "dot: sizes must match; got 3 and 4.");
}

TEST(error, of_many_notes_the_middle_is_left_out_of_the_text) {
  ValueError few("f: x must be y; got z."), many("f: x must be y; got z.");
  std::string expected = "f: x must be y; got z.";
  for (int i = 0; i < 16; ++i) {
    few.add_note("note " + std::to_string(i));
    expected += "\n  note " + std::to_string(i);
  }
  EXPECT_EQ(few.what(), expected);
  for (int i = 0; i < 200; ++i) many.add_note("note " + std::to_string(i));
  const std::string text = many.what();
  EXPECT_NE(text.find("\n  note 7\n  ... (184 more)\n  note 192\n"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("\n  note 199")) << text;
  EXPECT_EQ(many.notes().size(), 200u);
}

}  // namespace
}  // namespace weft
