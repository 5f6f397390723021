// weftc check: many programs at once, and a table of how they fared.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <map>
#include <thread>

#include "weft/base/error.h"
#include "weft/stablehlo/check.h"
#include "weft/stablehlo/syntax.h"
#include "weftc/commands.h"

namespace weftc {

namespace {

namespace fs = std::filesystem;
using weft::stablehlo::CheckReport;
using Outcome = CheckReport::Outcome;

std::vector<std::string> programs(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(path))
      if (entry.is_regular_file() && entry.path().extension() == ".mlir") files.push_back(entry.path().string());
  }
  std::ranges::sort(files);
  return files;
}

std::vector<CheckReport> check_file(const std::string& path, const std::string& through) {
  std::vector<CheckReport> reports;
  try {
    for (weft::stablehlo::Module& m : weft::stablehlo::parse_all(read_text(path), path)) {
      if (!through.empty()) {
        const auto form = through == "generic" ? weft::stablehlo::Form::kGeneric : weft::stablehlo::Form::kPretty;
        weft::stablehlo::Module back = weft::stablehlo::parse(weft::stablehlo::print(m, form), path);
        if (!(back == m))
          reports.push_back({path, Outcome::kFailed, path + ": the program does not come back from its text", 0});
        m = std::move(back);
      }
      for (CheckReport& r : weft::stablehlo::run_checks(m)) reports.push_back(std::move(r));
    }
  } catch (const weft::Error& e) {
    reports.push_back({"", Outcome::kFailed, e.message(), 0});
  } catch (const std::exception& e) {
    reports.push_back({"", Outcome::kFailed, path + ": " + e.what(), 0});
  }
  return reports;
}

const char* word(Outcome o) {
  return o == Outcome::kPassed ? "passed" : o == Outcome::kFailed ? "FAILED" : "unsupported";
}

}  // namespace

int check(const CheckOptions& options) {
  const std::vector<std::string> files = programs(options.paths);
  std::vector<std::vector<CheckReport>> reports(files.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < files.size(); i = next++) reports[i] = check_file(files[i], options.through);
  };
  const unsigned hardware = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::jthread> threads;
  for (unsigned i = 1; i < (options.jobs > 0 ? static_cast<unsigned>(options.jobs) : hardware); ++i)
    threads.emplace_back(work);
  work();
  threads.clear();  // joins

  std::map<Outcome, int> counts;
  int checks = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    for (const CheckReport& r : reports[i]) {
      ++counts[r.outcome];
      checks += r.checks;
      if (r.outcome == Outcome::kPassed && !options.verbose) continue;
      std::printf("%-12s %s%s%s\n", word(r.outcome), files[i].c_str(), r.name.empty() ? "" : " @", r.name.c_str());
      if (r.outcome == Outcome::kPassed) continue;
      for (std::size_t begin = 0; begin < r.reason.size();) {
        const std::size_t end = std::min(r.reason.find('\n', begin), r.reason.size());
        std::printf("             %s\n", r.reason.substr(begin, end - begin).c_str());
        begin = end + 1;
      }
    }
  }
  std::printf("%zu files, %d checks: %d programs passed, %d failed, %d unsupported\n", files.size(), checks,
              counts[Outcome::kPassed], counts[Outcome::kFailed], counts[Outcome::kUnsupported]);
  const bool nothing = counts[Outcome::kPassed] + counts[Outcome::kFailed] + counts[Outcome::kUnsupported] == 0;
  if (files.empty())
    std::printf("there is no .mlir file to check\n");
  else if (nothing)
    std::printf("there is no function without arguments to run\n");
  return nothing || counts[Outcome::kFailed] > 0 || counts[Outcome::kUnsupported] > 0 ? 1 : 0;
}

}  // namespace weftc
