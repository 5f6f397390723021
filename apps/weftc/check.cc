// weftc check: many programs at once, and a table of how they fared. Each program is run in a child process, which may
// hang or crash without taking the others along.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <thread>

#include "weft/base/error.h"
#include "weft/runtime/client.h"
#include "weft/stablehlo/check.h"
#include "weft/stablehlo/syntax.h"
#include "weftc/children.h"
#include "weftc/commands.h"

namespace weftc {

namespace {

namespace fs = std::filesystem;
namespace stablehlo = weft::stablehlo;
using weft::stablehlo::CheckReport;
using Outcome = CheckReport::Outcome;
using namespace std::string_literals;

std::vector<std::string> programs(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    if (!fs::exists(path)) throw weft::BackendError(path + ": there must be such a file or folder.");
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    // What is no file, or none any more, fails later.
    for (const auto& entry : fs::recursive_directory_iterator(path))
      if (!entry.is_directory() && entry.path().extension() == ".mlir") files.push_back(entry.path().string());
  }
  std::ranges::sort(files);
  return files;
}

// ---- what children say: place and symbol of the program that runs from now on, a report on one, or that a file has
// none ----

constexpr char kBegins = 'b', kReport = 'r', kNothing = 'n';

std::string report_message(const CheckReport& r) {
  std::string s{kReport, static_cast<char>(r.outcome)};
  const auto append = [&](const auto& v) { s.append(reinterpret_cast<const char*>(&v), sizeof v); };
  append(r.checks);
  append(r.name.size());
  return s + r.name + r.reason;
}

CheckReport read_report(std::string_view s) {
  CheckReport r;
  std::size_t name = 0;
  r.outcome = static_cast<Outcome>(s[1]);
  std::memcpy(&r.checks, s.data() + 2, sizeof r.checks);
  std::memcpy(&name, s.data() + 2 + sizeof r.checks, sizeof name);
  s.remove_prefix(2 + sizeof r.checks + sizeof name);
  r.name = s.substr(0, name);
  r.reason = s.substr(name);
  return r;
}

using Send = std::function<void(std::string_view)>;

// In a child: the programs of a file, from number `first` on. What is wrong with the text of one is a report, which has
// a number, too, so that it is made once.
class FileCheck {
 public:
  FileCheck(const CheckOptions& options, const std::string& path, std::size_t first, const Send& send)
      : options_(options), path_(path), first_(first), send_(send) {}

  void run() {
    try {
      for (stablehlo::ProgramText& p : stablehlo::parse_each(read_program(path_), path_)) program(std::move(p));
      if (number_ == 0) send_(std::string(1, kNothing));
    } catch (const weft::Error& e) {
      refuse(Outcome::kFailed, e.message());
    }
  }

 private:
  void program(stablehlo::ProgramText p) {
    try {
      if (p.error.empty() && !options_.through.empty()) p = through_text(std::move(p));
      if (!p.error.empty()) return refuse(p.unsupported ? Outcome::kUnsupported : Outcome::kFailed, p.error);
      for (const stablehlo::SelfCheck& check : stablehlo::find_checks(p.module)) {
        if (number_++ < first_) continue;
        send_(kBegins + stablehlo::place_text(p.module, check.function->place) + '\0' + std::string(check.name()));
        const bool wanted = (path_ + " @" + std::string(check.name())).find(options_.filter) != std::string::npos;
        if (wanted) send_(report_message(stablehlo::run_check(p.module, check, p.refusals)));
      }
    } catch (const weft::Error& e) {
      refuse(Outcome::kFailed, e.message());
    } catch (const std::exception& e) {
      refuse(Outcome::kFailed, path_ + ": " + e.what());
    }
  }

  // The program that comes back from the printed text, whose places are in that text.
  stablehlo::ProgramText through_text(stablehlo::ProgramText p) {
    const auto form = options_.through == "generic" ? stablehlo::Form::kGeneric : stablehlo::Form::kPretty;
    std::vector<stablehlo::ProgramText> back =
        stablehlo::parse_each(stablehlo::print(p.module, form), path_ + " (" + options_.through + ")");
    if (back.size() != 1) throw weft::InternalError(path_ + ": a program must be printed as one.");
    // What was stepped over is not all there.
    if (p.refusals.empty() && back[0].error.empty() && !(back[0].module == p.module))
      refuse(Outcome::kFailed, path_ + ": the program does not come back from its text.");
    return std::move(back[0]);
  }

  void refuse(Outcome outcome, const std::string& reason) {
    if (number_++ < first_) return;
    send_(kBegins + path_ + '\0');
    send_(report_message({"", outcome, reason, 0}));
  }

  const CheckOptions& options_;
  const std::string& path_;
  const std::size_t first_;
  const Send& send_;
  std::size_t number_ = 0;
};

// What is known of one file here.
struct File {
  std::string path;
  std::vector<CheckReport> reports;
  std::size_t begun = 0;
  bool nothing = false;
  std::string place, running;
};

// A program that ran, and has nothing that could have failed.
bool checks_nothing(const CheckReport& r) { return r.outcome == Outcome::kPassed && r.checks == 0; }

const char* word(const CheckReport& r) {
  if (checks_nothing(r)) return "ran";
  return r.outcome == Outcome::kPassed ? "passed" : r.outcome == Outcome::kFailed ? "FAILED" : "unsupported";
}

void print_report(const File& file, const CheckReport& r) {
  std::printf("%-12s %s%s%s%s\n", word(r), file.path.c_str(), r.name.empty() ? "" : " @", r.name.c_str(),
              checks_nothing(r) ? ": there is nothing to check" : "");
  if (r.outcome == Outcome::kPassed) return;
  for (std::size_t begin = 0; begin < r.reason.size();) {
    const std::size_t end = std::min(r.reason.find('\n', begin), r.reason.size());
    std::printf("             %s\n", r.reason.substr(begin, end - begin).c_str());
    begin = end + 1;
  }
}

}  // namespace

int check(const CheckOptions& options) {
  if (options.compile && !weft::default_client().compiles_to_code()) weft::throw_no_compiler("weftc check --compile");
  std::vector<File> files;
  for (std::string& path : programs(options.paths)) files.push_back({.path = std::move(path)});
  if (files.empty()) throw weft::ValueError("weftc check: there must be .mlir files in the folders; got none.");

  // A job is a file and the number of its first program that is still to be run.
  const auto job = [&](std::size_t file) { return std::to_string(file) + " " + std::to_string(files[file].begun); };
  std::vector<std::string> jobs;
  for (std::size_t i = 0; i < files.size(); ++i) jobs.push_back(job(i));
  const unsigned processors = std::max(1u, std::thread::hardware_concurrency());
  Jobs how;
  how.at_once = static_cast<int>(
      std::min<std::size_t>(files.size(), options.jobs > 0 ? static_cast<unsigned>(options.jobs) : processors));
  how.timeout_s = options.timeout_s;
  how.work = [&](const std::string& text, const Send& send) {
    const std::size_t blank = text.find(' ');
    FileCheck(options, files[std::stoull(text.substr(0, blank))].path, std::stoull(text.substr(blank)), send).run();
  };
  how.receive = [&](std::size_t file, std::string_view message) {
    if (message[0] == kNothing) {
      files[file].nothing = true;
    } else if (message[0] == kReport) {
      files[file].reports.push_back(read_report(message));
    } else {
      const std::size_t end = message.find('\0');
      files[file].place = message.substr(1, end - 1);
      files[file].running = message.substr(end + 1);
      ++files[file].begun;
    }
  };
  std::vector<std::size_t> begun_before(files.size(), 0);
  how.lost = [&](std::size_t i, const std::string& reason) -> std::optional<std::string> {
    File& file = files[i];
    // Before the first program it was the text itself.
    const bool text = file.begun == begun_before[i];
    file.reports.push_back(
        {text ? "" : file.running, Outcome::kFailed, (text ? file.path : file.place) + ": " + reason + ".", 0});
    begun_before[i] = file.begun;
    return text ? std::nullopt : std::optional(job(i));
  };
  run_jobs(std::move(jobs), how);

  int counts[3] = {0, 0, 0}, checks = 0, ran = 0;
  std::size_t nothing = 0;
  for (const File& file : files) {
    if (file.nothing) {
      ++nothing;
      std::printf("%-12s %s: there is no function without arguments to run\n", "nothing", file.path.c_str());
    }
    for (const CheckReport& r : file.reports) {
      if (checks_nothing(r))
        ++ran;
      else
        ++counts[static_cast<int>(r.outcome)];
      checks += r.checks;
      if (r.outcome != Outcome::kPassed || checks_nothing(r) || options.verbose) print_report(file, r);
    }
  }
  const auto count = [&](Outcome o) { return counts[static_cast<int>(o)]; };
  std::printf("%zu files, %d checks: %d programs passed, %d failed, %d unsupported", files.size(), checks,
              count(Outcome::kPassed), count(Outcome::kFailed), count(Outcome::kUnsupported));
  if (ran > 0) std::printf(", %d ran with nothing to check", ran);
  if (nothing > 0) std::printf(", nothing to run in %zu files", nothing);
  std::printf("\n");
  if (ran + count(Outcome::kPassed) + count(Outcome::kFailed) + count(Outcome::kUnsupported) == 0)
    throw weft::ValueError("weftc check: there must be a program to run" +
                           (options.filter.empty() ? ""s : " whose \"file @function\" holds " + options.filter) +
                           "; got none.");
  return count(Outcome::kFailed) + count(Outcome::kUnsupported) == 0 ? kSuccess : kProgramFailed;
}

}  // namespace weftc
