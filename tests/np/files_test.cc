#include "weft/np/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "weft/weft.h"

namespace weft::np {
namespace {

class Files : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("weft_files_" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path(const char* name) const { return (folder_ / name).string(); }
  std::filesystem::path folder_;
};
using files = Files;

TEST_F(files, a_saved_array_loads_equal) {
  for (const Array& x : {np::array({{1.5f, -2.0f}, {0.0f, 3.0f}}), Array(7), np::zeros({0, 3}, f64),
                         np::array({true, false}), np::array({std::complex<float>(1, 2)}), np::full({2, 2}, 3)}) {
    save(path("a.npy"), x);
    const Array y = load(path("a.npy"));
    EXPECT_EQ(y.repr(), x.repr());
    EXPECT_TRUE(y.aval() == x.aval()) << y.aval();
  }
}

TEST_F(files, a_loaded_array_does_not_depend_on_the_file) {
  save(path("a.npy"), np::arange(4));
  const Array x = load(path("a.npy"));
  save(path("a.npy"), np::zeros({4}, i32));
  EXPECT_EQ((x + 1).to_vector<int>(), (std::vector<int>{1, 2, 3, 4}));
}

TEST_F(files, saving_keeps_links_permissions_and_pipes) {
  namespace fs = std::filesystem;
  save(path("real.npy"), np::zeros({2}));
  fs::permissions(path("real.npy"), fs::perms(0640));
  fs::create_symlink("real.npy", path("link.npy"));
  save(path("link.npy"), np::ones({2}));
  EXPECT_TRUE(fs::is_symlink(path("link.npy")));
  EXPECT_EQ(load(path("real.npy")).to_vector<float>(), (std::vector<float>{1, 1}));
  EXPECT_EQ(fs::status(path("real.npy")).permissions(), fs::perms(0640));

  ASSERT_EQ(::mkfifo(path("pipe.npy").c_str(), 0600), 0);
  Array got;
  std::thread reader([&] { got = load(path("pipe.npy")); });
  save(path("pipe.npy"), np::arange(3));
  reader.join();
  EXPECT_EQ(got.to_vector<int>(), (std::vector<int>{0, 1, 2}));
  EXPECT_TRUE(fs::is_fifo(path("pipe.npy")));
}

TEST_F(files, mistakes_are_errors) {
  EXPECT_THROW(load(path("none.npy")), BackendError);
  std::ofstream(path("text.npy")) << "not an array";
  EXPECT_THROW(load(path("text.npy")), ParseError);
  EXPECT_THROW(save(path("no_folder/a.npy"), Array(1)), BackendError);
  EXPECT_THROW(jit([&](Array x) {
                 save(path("a.npy"), x);
                 return x;
               })(1.0f),
               ConcretizationError);
  EXPECT_FALSE(std::filesystem::exists(path("a.npy")));
}

TEST_F(files, bfloat16_comes_back_when_asked_for) {
  const Array x = np::array({1.5f, -2.0f}, bf16);
  save(path("b.npy"), x);
  const Array y = load(path("b.npy"), {.v2_is_bfloat16 = true});
  EXPECT_EQ(y.repr(), x.repr());
  try {
    load(path("b.npy"));
    ADD_FAILURE() << "nothing was thrown";
  } catch (const ParseError& e) {
    EXPECT_EQ(e.hint(), "bfloat16 arrays are stored like this; load(path, {.v2_is_bfloat16 = true}) reads it so.");
  }
}

}  // namespace
}  // namespace weft::np
