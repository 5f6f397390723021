#include "train/data_folder.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "harness/errors.h"
#include "temporary_folder.h"
#include "train/file.h"
#include "train/mnist.h"

namespace weft::train {
namespace {

using testing::error_of;

constexpr const char* kVariable = "WEFT_DATA_DIR";

// The environment variable as it was, at the end of a test.
class DataDir {
 public:
  DataDir() {
    if (const char* value = std::getenv(kVariable)) before_ = value;
  }
  ~DataDir() {
    if (before_)
      setenv(kVariable, before_->c_str(), 1);
    else
      unsetenv(kVariable);
  }

 private:
  std::optional<std::string> before_;
};

TEST(data_folder, is_in_the_folder_that_the_environment_names) {
  const DataDir restored;
  const TemporaryFolder folder;
  make_folders(folder / "words");
  setenv(kVariable, folder.path().c_str(), 1);
  EXPECT_EQ(data_folder("words"), folder / "words");
  EXPECT_EQ(find_data_folder("none"), folder / "none");
  EXPECT_EQ(MnistOptions::default_folder(), folder / "mnist");
}

TEST(data_folder, what_is_missing_is_told_with_its_cure) {
  const DataDir restored;
  const TemporaryFolder folder;
  setenv(kVariable, folder.path().c_str(), 1);
  std::string hint;
  EXPECT_EQ(error_of([] { data_folder("none"); }, &hint),
            "BackendError: data_folder: " + folder / "none" + " must be a folder; got none.");
  EXPECT_EQ(hint, "set WEFT_DATA_DIR to a folder whose folder none holds the files.");
  for (const char* empty : {"", static_cast<const char*>(nullptr)}) {
    if (empty != nullptr)
      setenv(kVariable, empty, 1);
    else
      unsetenv(kVariable);
    EXPECT_EQ(find_data_folder("words"), std::nullopt);
    EXPECT_EQ(MnistOptions::default_folder(), "");
    EXPECT_EQ(error_of([] { data_folder("words"); }, &hint),
              "ValueError: data_folder: WEFT_DATA_DIR must name the folder of all data sets; got nothing.");
    EXPECT_EQ(hint, "set WEFT_DATA_DIR to a folder whose folder words holds the files.");
  }
}

}  // namespace
}  // namespace weft::train
