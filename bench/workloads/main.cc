// The workloads that Weft is compared by, on Weft and on the peers that can run in this process. One line each:
//   peer,workload,params,threads,median_ms,derived
// ratios.py runs this program and workloads_peers.py in alternation and makes a table of both.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <list>
#include <regex>

#include "case.h"
#include "weft/base/thread_pool.h"

namespace {

using namespace workloads;

constexpr const char* kHelp =
    "weft_bench_workloads [options]\n"
    "  --only REGEX     cases whose \"peer,workload,params\" matches\n"
    "  --threads N      1 (default) or more\n"
    "  --seconds S      of timed runs per case (0.4)\n"
    "  --list           names the cases and runs none\n"
    "  --kernels        prints what the compiler made of Weft's programs and runs none\n"
    "  --serve          reads \"peer,workload,params\" from standard input, answers each with its line\n";

Cases all_cases() {
  Cases cases;
  add_products(cases);
  add_elementwise(cases);
  add_rows(cases);
  add_convolutions(cases);
  add_mlp(cases);
  add_cnn(cases);
  add_transformer(cases);
  add_lstm(cases);
  add_small(cases);
  add_reductions(cases);
  add_moving(cases);
  add_random(cases);
  add_linalg(cases);
#ifdef WEFT_BENCH_EXAMPLES
  add_examples_of_images(cases);
  add_examples_of_text(cases);
#endif
#ifdef WEFT_BENCH_ONEDNN
  add_onednn(cases);
#endif
#ifdef WEFT_BENCH_HAND
  add_hand(cases);
#endif
  return cases;
}

std::string name_of(const Case& c) { return c.peer + "," + c.workload + "," + c.params; }

struct Options {
  std::regex only{""};
  int threads = 1;
  Effort effort;
  bool list = false, kernels = false, serve = false;
};

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const auto is = [&](const char* name) { return std::strcmp(argv[i], name) == 0; };
    const bool has_value = i + 1 < argc;
    if (is("--list"))
      o.list = true;
    else if (is("--kernels"))
      o.kernels = true;
    else if (is("--serve"))
      o.serve = true;
    else if (is("--only") && has_value)
      o.only = std::regex(argv[++i]);
    else if (is("--threads") && has_value)
      o.threads = std::atoi(argv[++i]);
    else if (is("--seconds") && has_value)
      o.effort.seconds = std::atof(argv[++i]);
    else {
      std::fputs(kHelp, is("--help") ? stdout : stderr);
      std::exit(is("--help") ? 0 : 2);
    }
  }
  return o;
}

// Cases that were prepared for the workload that is being asked about, so that alternating between peers does not make
// their operands anew.
class Prepared {
 public:
  const Runnable& of(const Case& c, int threads) {
    const std::string workload = c.workload + "," + c.params;
    if (workload != workload_) made_.clear();
    workload_ = workload;
    for (const auto& [of, runnable] : made_)
      if (of == &c) return runnable;
    return made_.emplace_back(&c, c.prepare(threads)).second;
  }

 private:
  std::string workload_;
  std::list<std::pair<const Case*, Runnable>> made_;
};

}  // namespace

int main(int argc, char** argv) try {
  const Options o = parse(argc, argv);
  weft::set_num_threads(o.threads);
  const Cases cases = all_cases();
  Prepared prepared;
  const auto run = [&](const Case& c) {
    try {
      std::cout << measure(c, prepared.of(c, o.threads), o.threads, o.effort) << std::endl;
    } catch (const std::exception& e) {
      std::cout << failure(c, o.threads, e.what()) << std::endl;
    }
  };
  if (o.serve) {
    for (std::string line; std::getline(std::cin, line);) {
      const auto found = std::ranges::find(cases, line, name_of);
      if (found == cases.end())
        std::cout << line << "," << o.threads << ",NaN,FAILED no such case" << std::endl;
      else
        run(*found);
    }
    return 0;
  }
  for (const Case& c : cases) {
    if (!std::regex_search(name_of(c), o.only)) continue;
    if (o.list)
      std::cout << name_of(c) << "\n";
    else if (o.kernels) {
      const Runnable& r = prepared.of(c, o.threads);
      if (r.kernels) std::cout << "# " << name_of(c) << "\n" << r.kernels() << "\n";
    } else
      run(c);
  }
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "weft_bench_workloads: %s\n", e.what());
  return 1;
}
