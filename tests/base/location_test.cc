#include "weft/base/location.h"

#include <gtest/gtest.h>

#include <thread>

namespace weft {
namespace {

TEST(location, prints_the_last_path_component) {
  EXPECT_EQ(SourceLocation("/a/b/model.cc", 42).str(), "model.cc:42");
  EXPECT_EQ(SourceLocation("model.cc", 7).str(), "model.cc:7");
  EXPECT_EQ(SourceLocation("C:\\src\\model.cc", 7).str(), "model.cc:7");
  EXPECT_EQ(SourceLocation().str(), "");
}

TEST(location, names_the_column_where_it_is_known) {
  EXPECT_EQ(SourceLocation("/a/model.mlir", 4, 8).str(), "model.mlir:4:8");
}

TEST(location, is_taken_from_the_calling_line) {
  const SourceLocation here = std::source_location::current();
  EXPECT_EQ(here.str(), "location_test.cc:" + std::to_string(__LINE__ - 1));
  EXPECT_NE(std::string(here.function).size(), 0u);
}

TEST(location, outermost_scope_wins) {
  EXPECT_FALSE(current_location());
  {
    const LocationScope outer(SourceLocation("user.cc", 1));
    {
      const LocationScope inner(SourceLocation("library.cc", 2));
      EXPECT_EQ(current_location().str(), "user.cc:1");
    }
    EXPECT_EQ(current_location().str(), "user.cc:1");
  }
  EXPECT_FALSE(current_location());
}

TEST(location, unknown_scope_leaves_room_for_an_inner_one) {
  const LocationScope outer{SourceLocation()};
  {
    const LocationScope inner(SourceLocation("inner.cc", 2));
    EXPECT_EQ(current_location().str(), "inner.cc:2");
  }
  EXPECT_FALSE(current_location());
}

TEST(location, forced_location_overrides_and_restores) {
  const LocationScope outer(SourceLocation("user.cc", 1));
  {
    const ForcedLocation forced(SourceLocation("equation.cc", 9));
    EXPECT_EQ(current_location().str(), "equation.cc:9");
    const LocationScope inner(SourceLocation("library.cc", 2));
    EXPECT_EQ(current_location().str(), "equation.cc:9");
  }
  EXPECT_EQ(current_location().str(), "user.cc:1");
}

TEST(location, forced_unknown_location_lets_inner_user_code_be_blamed) {
  const LocationScope outer(SourceLocation("user.cc", 1));
  {
    const ForcedLocation hidden{SourceLocation()};
    EXPECT_FALSE(current_location());
    const LocationScope callback(SourceLocation("callback.cc", 3));
    EXPECT_EQ(current_location().str(), "callback.cc:3");
  }
  EXPECT_EQ(current_location().str(), "user.cc:1");
}

TEST(location, scopes_close_when_an_exception_passes) {
  try {
    const LocationScope scope(SourceLocation("user.cc", 1));
    throw 1;
  } catch (int) {
  }
  EXPECT_FALSE(current_location());
}

TEST(location, each_thread_has_its_own) {
  const LocationScope scope(SourceLocation("user.cc", 1));
  bool known = true;
  std::thread([&] { known = static_cast<bool>(current_location()); }).join();
  EXPECT_FALSE(known);
}

}  // namespace
}  // namespace weft
