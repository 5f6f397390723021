#include "train/download.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "harness/errors.h"
#include "temporary_folder.h"
#include "train/file.h"

namespace weft::train {
namespace {

using testing::message_of;

// A stand-in for a download program, found by its name: a script that is called as curl is.
std::string script(const TemporaryFolder& folder, const std::string& body) {
  const std::string path = folder / "curl", text = "#!/bin/sh\n" + body + "\n";
  write_file(path, std::as_bytes(std::span(text)));
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

// The file that curl is told to write is the argument after --output.
const std::string kTarget = "while [ \"$1\" != --output ]; do shift; done; ";

TEST(download, what_the_program_fetches_appears_under_the_final_name) {
  const TemporaryFolder folder, target;
  const std::string program = script(folder, kTarget + "echo \"$4\" > \"$2\"");
  download("https://example.org/a b'$(x)", target / "a", {.programs = {program}});
  const auto data = read_file(target / "a");
  // The address arrives as it is: no shell reads it.
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(data.data()), data.size()), "https://example.org/a b'$(x)\n");
  EXPECT_EQ(target.count(), 1u);
}

TEST(download, a_failure_carries_the_programs_message_and_leaves_nothing) {
  const TemporaryFolder folder, target;
  const std::string program = script(folder, kTarget + "echo half > \"$2\"; echo 'no such host' >&2; exit 6");
  EXPECT_EQ(message_of<BackendError>([&] { download("https://example.org/a", target / "a", {.programs = {program}}); }),
            "download: " + program + " must fetch https://example.org/a; got \"no such host\".");
  EXPECT_EQ(target.count(), 0u);
}

TEST(download, a_program_that_hangs_is_ended) {
  const TemporaryFolder folder, target;
  const std::string program = script(folder, "exec sleep 1000");
  const auto start = std::chrono::steady_clock::now();
  const std::string text = message_of<BackendError>(
      [&] { download("https://example.org/a", target / "a", {.total_seconds = -1.5, .programs = {program}}); });
  EXPECT_NE(text.find("no end after"), std::string::npos) << text;
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(300));
}

TEST(download, without_a_program_the_error_says_what_to_install) {
  EXPECT_EQ(message_of<BackendError>([] {
              download("https://example.org/a", "/nonexistent/a",
                       {.programs = {"/nonexistent/curl", "/nonexistent/wget"}});
            }),
            "download: curl or wget must be installed to fetch https://example.org/a; got neither.");
  EXPECT_THROW(download("https://example.org/a", "a", {.programs = {"rm"}}), ValueError);
}

TEST(download, the_next_program_is_used_when_one_is_missing) {
  const TemporaryFolder folder, target;
  const std::string program = script(folder, kTarget + "echo x > \"$2\"");
  download("https://example.org/a", target / "a", {.programs = {"/nonexistent/wget", program}});
  EXPECT_EQ(target.count(), 1u);
}

TEST(download, the_real_curl_understands_its_options) {
  const TemporaryFolder folder;
  const std::vector<std::byte> data(1000, std::byte{7});
  write_file(folder / "from", data);
  try {
    download("file://" + (folder / "from"), folder / "to", {.programs = {"curl"}});
  } catch (const BackendError& e) {
    if (e.message().find("must be installed") != std::string::npos) GTEST_SKIP() << "curl is not installed";
    throw;
  }
  EXPECT_EQ(read_file(folder / "to"), data);
  EXPECT_THROW(download("file://" + (folder / "absent"), folder / "b", {.programs = {"curl"}}), BackendError);
}

}  // namespace
}  // namespace weft::train
