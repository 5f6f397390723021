// weftc: StableHLO programs from the command line. Reads the command line; commands.h does the work.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "weft/base/error.h"
#include "weftc/commands.h"

int main(int argc, char** argv) {
  CLI::App app("Runs, checks, prints and differentiates StableHLO programs.");
  app.require_subcommand(1);

  weftc::RunOptions run;
  CLI::App* run_command = app.add_subcommand("run", "Run a function of a program on arrays in .npy files.");
  run_command->add_option("program", run.program, "the program, StableHLO text; - for standard input")->required();
  run_command->add_option("-i,--input", run.inputs, "one .npy file per input, in order");
  run_command->add_option("-o,--output", run.outputs, "one .npy file per result; further results are printed");
  run_command->add_option("-f,--function", run.function, "the function to run (default: main)");

  weftc::CheckOptions check;
  CLI::App* check_command =
      app.add_subcommand("check", "Run self-checking programs; the exit status is 0 when all pass.");
  check_command->add_option("paths", check.paths, "programs, or folders of .mlir files")->required();
  check_command->add_option("--through", check.through, "check what comes back from the text printed in this form")
      ->check(CLI::IsMember({"pretty", "generic"}));
  check_command->add_flag("-v,--verbose", check.verbose, "list the programs that pass, too");
  check_command->add_option("-j,--jobs", check.jobs, "programs at once (default: as many as processors)")
      ->check(CLI::Range(1, 1024));

  weftc::PrintOptions print;
  CLI::App* print_command = app.add_subcommand("print", "Print a program in another form.");
  print_command->add_option("program", print.program, "the program; - for standard input")->required();
  print_command->add_option("--to", print.to, "stablehlo (pretty), generic, or the jaxpr of a function")
      ->check(CLI::IsMember({"jaxpr", "stablehlo", "generic"}))
      ->capture_default_str();
  print_command->add_option("-f,--function", print.function, "the function of a jaxpr (default: main)");

  weftc::GradOptions grad;
  CLI::App* grad_command =
      app.add_subcommand("grad", "Write the program of a function's value and its gradients, as StableHLO.");
  grad_command->add_option("program", grad.program, "the program; - for standard input")->required();
  grad_command->add_option("--wrt", grad.wrt, "numbers of the inputs to differentiate by")->capture_default_str();
  grad_command->add_option("-f,--function", grad.function, "the function (default: main)");
  grad_command->add_option("-o,--output", grad.output, "where to write it (default: standard output)");
  grad_command->add_flag("--generic", grad.generic, "write the generic form, for other compilers");

  CLI11_PARSE(app, argc, argv);
  const std::string& program = run_command->parsed()     ? run.program
                               : print_command->parsed() ? print.program
                                                         : grad.program;
  try {
    if (run_command->parsed()) return weftc::run(run);
    if (check_command->parsed()) return weftc::check(check);
    if (print_command->parsed()) return weftc::print(print);
    return weftc::grad(grad);
  } catch (const weft::Error& e) {
    // An error of a run knows the program's line; one of its text says it already.
    if (e.location() && e.location().file == program) {
      std::fprintf(stderr, "%s:%u: %s\n", program.c_str(), e.location().line, e.message().c_str());
      if (!e.hint().empty()) std::fprintf(stderr, "hint: %s\n", e.hint().c_str());
    } else {
      std::fprintf(stderr, "%s\n", e.what());
    }
  } catch (const std::exception& e) {
    std::fprintf(stderr, "weftc: %s\n", e.what());
  }
  return 1;
}
