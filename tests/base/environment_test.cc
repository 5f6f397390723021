#include "weft/base/environment.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "weft/base/error.h"

namespace weft {
namespace {

constexpr const char* kName = "WEFT_TEST_OF_THE_ENVIRONMENT";

TEST(environment, a_flag_says_yes_or_no_in_a_few_words) {
  ::unsetenv(kName);
  EXPECT_FALSE(environment_flag(kName));
  EXPECT_EQ(environment_text(kName), "");
  for (const char* yes : {"1", "true", "yes", "on"}) {
    ::setenv(kName, yes, 1);
    EXPECT_TRUE(environment_flag(kName)) << yes;
  }
  for (const char* no : {"", "0", "false", "no", "off"}) {
    ::setenv(kName, no, 1);
    EXPECT_FALSE(environment_flag(kName)) << no;
  }
  ::setenv(kName, "maybe", 1);
  try {
    environment_flag(kName);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const ValueError& e) {
    EXPECT_EQ(e.message(), "WEFT_TEST_OF_THE_ENVIRONMENT: the environment variable must be 1 or 0; got 'maybe'.");
  }
  ::unsetenv(kName);
}

}  // namespace
}  // namespace weft
