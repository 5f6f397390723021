// The commands of weftc, apart from their command lines (main.cc). Each returns the exit status.
#pragma once

#include <string>
#include <vector>

namespace weftc {

struct RunOptions {
  std::string program;
  std::string function;
  std::vector<std::string> inputs, outputs;
};
/// Runs a function on .npy files; results without a file are printed.
int run(const RunOptions& options);

struct CheckOptions {
  std::vector<std::string> paths;
  /// "", "pretty" or "generic": checks what comes back from the text that is printed in this form.
  std::string through;
  bool verbose = false;
  int jobs = 0;
};
/// Runs self-checking programs and prints a table; 0 when all pass.
int check(const CheckOptions& options);

struct PrintOptions {
  std::string program;
  std::string function;
  std::string to = "stablehlo";
};
int print(const PrintOptions& options);

struct GradOptions {
  std::string program;
  std::string function;
  std::vector<std::size_t> wrt = {0};
  std::string output;
  bool generic = false;
};
/// Writes the program of a function's value and gradients.
int grad(const GradOptions& options);

/// The text of a file; BackendError when it cannot be read.
std::string read_text(const std::string& path);
void write_text(const std::string& path, const std::string& text);

}  // namespace weftc
