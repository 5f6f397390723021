// weftc: StableHLO programs from the command line. Reads the command line; commands.h does the work.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "weft/base/error.h"
#include "weft/core/checks.h"
#include "weft/stablehlo/check.h"
#include "weftc/commands.h"

namespace {

constexpr const char* kStatuses =
    "Exit status: 0 success; 1 a program does not pass its checks or fails while it runs;\n"
    "2 the command line, or a file that cannot be read, written or made sense of.";

// "run, check, print, grad, aot"
std::string command_names(const CLI::App& app) {
  std::string names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names += (names.empty() ? "" : ", ") + command->get_name();
  return names;
}

bool has_command(const CLI::App& app, const std::string& name) {
  const auto commands = app.get_subcommands([&](const CLI::App* c) { return c->get_name() == name; });
  return !commands.empty();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs, checks, prints, differentiates and compiles StableHLO programs.", "weftc");
  app.require_subcommand(1);
  app.set_version_flag("--version", "weftc " WEFT_VERSION);
  app.footer(kStatuses);

  weftc::RunOptions run;
  CLI::App* run_command = app.add_subcommand("run", "Run a function of a program on arrays in .npy files.");
  run_command->add_option("program", run.program, "the program, StableHLO text; - for standard input")->required();
  run_command->add_option("-i,--input", run.inputs, "one .npy file per input, in order");
  run_command->add_option("-o,--output", run.outputs, "one .npy file per result; further results are printed");
  run_command->add_option("-f,--function", run.function, "the function to run (default: main, or the only public one)");
  run_command->footer(std::string("Types that .npy has no name for are kept as f32 (small floats), i8 (i2, i4) or u8 "
                                  "(ui2, ui4);\nbf16 as two bytes \"<V2\", as ml_dtypes does.\n") +
                      kStatuses);

  weftc::CheckOptions check;
  CLI::App* check_command =
      app.add_subcommand("check", "Run self-checking programs; the exit status is 0 when nothing fails.");
  check_command->add_option("paths", check.paths, "programs, or folders of .mlir files")->required();
  check_command->add_option("--through", check.through, "check what comes back from the text printed in this form")
      ->check(CLI::IsMember({"pretty", "generic"}));
  check_command->add_option("--filter", check.filter, "only programs whose \"file @function\" holds this text");
  check_command->add_flag("--compile", check.compile,
                          "fail where this build has no compiler, instead of running programs step by step");
  check_command->add_flag("-v,--verbose", check.verbose, "list the programs that pass, too");
  check_command->add_option("-j,--jobs", check.jobs, "programs at once (default: as many as processors)")
      ->check(CLI::Range(1, 1024));
  check_command->add_option("--timeout", check.timeout_s, "seconds that each program may take")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();

  weftc::PrintOptions print;
  CLI::App* print_command = app.add_subcommand("print", "Print a program in another form.");
  print_command->add_option("program", print.program, "the program; - for standard input")->required();
  print_command->add_option("--to", print.to, "stablehlo (pretty), generic, or the jaxpr of a function")
      ->check(CLI::IsMember({"jaxpr", "stablehlo", "generic"}))
      ->capture_default_str();
  print_command->add_option("-f,--function", print.function,
                            "the function of a jaxpr (default: main, or the only public one)");
  print_command->add_option("-o,--output", print.output, "where to write it (default: standard output)");

  weftc::GradOptions grad;
  CLI::App* grad_command =
      app.add_subcommand("grad", "Write the program of a function's value and its gradients, as StableHLO.");
  grad_command->add_option("program", grad.program, "the program; - for standard input")->required();
  grad_command->add_option("--wrt", grad.wrt, "numbers of the inputs to differentiate by")->capture_default_str();
  grad_command->add_option("--of", grad.of, "number of the output to differentiate, where there are several")
      ->check(CLI::NonNegativeNumber);
  grad_command->add_option("-f,--function", grad.function, "the function (default: main, or the only public one)");
  grad_command->add_option("-o,--output", grad.output, "where to write it (default: standard output)");
  grad_command->add_flag("--generic", grad.generic,
                         "write the generic form, for other compilers; refuses what only Weft has");

  weftc::AotOptions aot;
  CLI::App* aot_command =
      app.add_subcommand("aot", "Compile a function to an object file and a C header, which need nothing of Weft.");
  aot_command->add_option("program", aot.program, "the program; - for standard input")->required();
  aot_command->add_option("-o,--output", aot.output, "the object file; its header stands beside it, ending in .h")
      ->required();
  aot_command->add_option("-f,--function", aot.function, "the function (default: main, or the only public one)");
  aot_command->add_option("--name", aot.name, "the name of the C function (default: that of the output)");
  aot_command->add_option("--triple", aot.triple, "the machine, such as aarch64-linux-gnu (default: this one)");
  aot_command->add_option("--cpu", aot.cpu,
                          "the processor, such as x86-64-v3, cortex-a72 or native (default: this one)");
  aot_command->add_option("--features", aot.features, "what it has beside, such as +avx2,+fma");
  aot_command->add_flag("--strict", aot.strict, "the same bits on every machine; refuses what cannot promise them");

  for (CLI::App* command : {check_command, print_command, grad_command, aot_command}) command->footer(kStatuses);

  if (argc > 1 && argv[1][0] != '-' && !has_command(app, argv[1])) {
    std::fprintf(stderr, "weftc: the command must be one of %s; got %s.\n", command_names(app).c_str(), argv[1]);
    return weftc::kBadInput;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? weftc::kSuccess : weftc::kBadInput;
  }
  try {
    weft::detail::check_mode();  // a wrong WEFT_CHECKS is no fault of the program's
    if (run_command->parsed()) return weftc::run(run);
    if (check_command->parsed()) return weftc::check(check);
    if (print_command->parsed()) return weftc::print(print);
    if (aot_command->parsed()) return weftc::aot(aot);
    return weftc::grad(grad);
  } catch (const weft::Error& e) {
    std::fflush(stdout);
    const std::string& program = run_command->parsed()     ? run.program
                                 : print_command->parsed() ? print.program
                                 : aot_command->parsed()   ? aot.program
                                                           : grad.program;
    std::fprintf(stderr, "%s\n", weft::stablehlo::error_text(e, program).c_str());
  } catch (const std::exception& e) {
    std::fflush(stdout);
    std::fprintf(stderr, "weftc: %s\n", e.what());
  }
  return weftc::kBadInput;
}
