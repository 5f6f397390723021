// The long form of tests/cpu/random_programs_test.cc: random programs until the time is over or one shows a fault, of
// which a small program is printed that still does.
//
//   weft_programs_fuzz --seconds 600 --seed 1      seeds 1, 2, ...; exit status 1 at the first fault
//   weft_programs_fuzz --shrink 17                 seed 17 alone; each candidate runs in a process of its own, so that
//                                                  crashes and hangs are faults to make smaller, too
//
// A crash names its seed. `--check FILE` is what --shrink starts: FILE holds a program's text and its inputs' bytes.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include <sys/wait.h>
#include <unistd.h>

#include "fuzz/programs_property.h"
#include "harness/files.h"
#include "harness/shrink_program.h"
#include "weft/ir/parse.h"

namespace weft::testing {
namespace {

// What is running, for the signal handler.
char running[64] = "";

extern "C" void tell_seed(int signal) {
  [[maybe_unused]] auto n = write(STDERR_FILENO, running, std::strlen(running));
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

// "compiled threw", "compiled against step by step": faults of one kind, so that a smaller program shows the same one.
std::string kind_of(const std::string& fault) { return fault.substr(0, fault.find_first_of(",:")); }

void report(std::uint64_t seed, const RandomProgram& program, const std::string& fault) {
  std::printf("seed %llu: %s\n%s", static_cast<unsigned long long>(seed), fault.c_str(), description(program).c_str());
  std::fflush(stdout);
}

// ---- one seed after the other ----

int run_seeds(double seconds, std::uint64_t seed) {
  using Clock = std::chrono::steady_clock;
  for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) std::signal(signal, tell_seed);
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  std::uint64_t n = 0;
  for (; Clock::now() < end; ++n) {
    std::snprintf(running, sizeof running, "\nin the program of --seed %llu\n",
                  static_cast<unsigned long long>(seed + n));
    const RandomProgram program = random_program(seed + n);
    const std::string fault = judge(program);
    if (fault.empty()) continue;
    report(seed + n, program, fault);
    const auto still_fails = [&](const RandomProgram& p) { return kind_of(judge(p)) == kind_of(fault); };
    const RandomProgram small = shrink(program, still_fails);
    std::printf("\nmade smaller:\n");
    report(seed + n, small, judge(small));
    return 1;
  }
  std::printf("%llu programs, no fault\n", static_cast<unsigned long long>(n));
  return 0;
}

// ---- one seed, each candidate in a process of its own ----

void save(const RandomProgram& program, const std::string& file) {
  std::ofstream out(file, std::ios::binary);
  const std::string text = program.jaxpr.str();
  out << text.size() << "\n" << text;
  // As they are stored: in full, or once along some axes.
  for (const Array& x : program.inputs) {
    const std::uint32_t repeated = x.buffer()->repeated();
    out.write(reinterpret_cast<const char*>(&repeated), sizeof repeated);
    out.write(static_cast<const char*>(x.buffer()->data()),
              static_cast<std::streamsize>(x.buffer()->stored_aval().bytes()));
  }
}

RandomProgram load(const std::string& file) {
  const std::string all = read_file(file);
  const std::size_t length = std::stoul(all), begin = all.find('\n') + 1;
  RandomProgram program{ir::parse(all.substr(begin, length)), {}};
  const char* at = all.data() + begin + length;
  for (const Aval a : program.jaxpr.input_avals()) {
    std::uint32_t repeated;
    std::memcpy(&repeated, at, sizeof repeated);
    at += sizeof repeated;
    Dims stored(a.shape());
    for (std::size_t i = 0; i < stored.size(); ++i)
      if (repeated >> i & 1u) stored[i] = 1;
    const Array x = Array::copy(a.dtype(), stored, at, static_cast<std::size_t>(product(stored)));
    at += x.nbytes();
    const Ref<const BufferValue> dense = detail::materialize(*x.buffer());
    program.inputs.push_back(Array(Ref<const Value>(make_ref<BufferValue>(a, dense->storage(), repeated))));
  }
  return program;
}

// "" or the fault; of a process that ended badly, how.
std::string judge_apart(const RandomProgram& program, const std::string& file) {
  save(program, file);
  const std::string result = file + ".fault";
  std::filesystem::remove(result);
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    execl("/proc/self/exe", "weft_programs_fuzz", "--check", file.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return std::string("signal: ") + strsignal(WTERMSIG(status));
  return read_file(result);
}

int shrink_apart(std::uint64_t seed) {
  const std::string file = std::filesystem::temp_directory_path() / ("weft_programs_fuzz." + std::to_string(getpid()));
  const RandomProgram program = random_program(seed);
  const std::string fault = judge_apart(program, file);
  report(seed, program, fault.empty() ? "no fault" : fault);
  if (!fault.empty()) {
    const auto still_fails = [&](const RandomProgram& p) { return kind_of(judge_apart(p, file)) == kind_of(fault); };
    const RandomProgram small = shrink(program, still_fails);
    std::printf("\nmade smaller:\n");
    report(seed, small, judge_apart(small, file));
  }
  std::filesystem::remove(file);
  std::filesystem::remove(file + ".fault");
  return fault.empty() ? 0 : 1;
}

int check_file(const std::string& file) {
  const std::string fault = judge(load(file));
  std::ofstream(file + ".fault") << fault;
  return fault.empty() ? 0 : 1;
}

// ---- what there is ----

int print_counts(std::uint64_t seed, int programs) {
  std::map<std::string, int> counts, programs_with;
  for (int i = 0; i < programs; ++i) {
    std::map<std::string, int> in_one;
    count_operations(random_program(seed + static_cast<std::uint64_t>(i)).jaxpr, in_one);
    for (const auto& [op, n] : in_one) counts[op] += n, ++programs_with[op];
  }
  for (const auto& [op, n] : counts) std::printf("%-28s %6d in %5d programs\n", op.c_str(), n, programs_with[op]);
  return 0;
}

int main_of(int argc, char** argv) {
  std::map<std::string, std::string> options;
  for (int i = 1; i + 1 < argc; i += 2) options[argv[i]] = argv[i + 1];
  const auto number = [&](const char* name, const char* otherwise) {
    return options.count(name) ? options[name] : std::string(otherwise);
  };
  const std::uint64_t seed = std::stoull(number("--seed", "1"));
  if (options.count("--check")) return check_file(options["--check"]);
  if (options.count("--shrink")) return shrink_apart(std::stoull(options["--shrink"]));
  if (options.count("--count")) return print_counts(seed, std::stoi(options["--count"]));
  if (options.count("--seconds")) return run_seeds(std::stod(options["--seconds"]), seed);
  std::printf("usage: weft_programs_fuzz --seconds N [--seed S] | --shrink SEED | --count PROGRAMS [--seed S]\n");
  return 2;
}

}  // namespace
}  // namespace weft::testing

int main(int argc, char** argv) { return weft::testing::main_of(argc, argv); }
