// The commands of weftc, apart from their command lines (main.cc). Each returns the exit status, and throws an error of
// weft for what is wrong with the command line or a file (kBadInput).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weftc {

enum ExitStatus : int {
  kSuccess = 0,
  kProgramFailed = 1,  ///< it does not pass its checks or fails while it runs
  kBadInput = 2,       ///< the command line, or a file that cannot be read, written or made sense of
};

struct RunOptions {
  std::string program;
  std::string function;
  std::vector<std::string> inputs, outputs;
};
/// Runs a function on .npy files; results without a file are printed. Files hold numbers of types that .npy has no name
/// for (small floats, i2, i4, ...) as f32, i8 or u8, and bf16 as ml_dtypes does (two bytes, "<V2").
int run(const RunOptions& options);

struct CheckOptions {
  std::vector<std::string> paths;
  /// "", "pretty" or "generic": checks what comes back from the text that is printed in this form.
  std::string through;
  /// Only programs whose "file @function" holds this text.
  std::string filter;
  bool verbose = false;
  /// Programs must be compiled: they are anyway, but in builds without a compiler.
  bool compile = false;
  int jobs = 0;
  /// For each program.
  int timeout_s = 60;
};
/// Runs self-checking programs and prints a table.
int check(const CheckOptions& options);

struct PrintOptions {
  std::string program;
  std::string function;
  std::string to = "stablehlo";
  std::string output;
};
int print(const PrintOptions& options);

struct GradOptions {
  std::string program;
  std::string function;
  std::vector<std::int64_t> wrt = {0};
  std::int64_t of = -1;  // the output that is differentiated; -1: the only one
  std::string output;
  bool generic = false;
};
/// Writes the program of a function's outputs and, behind them, the gradients of one.
int grad(const GradOptions& options);

struct AotOptions {
  std::string program;
  std::string function;
  std::string output;  // the object file; its header stands beside it, ending in .h
  std::string name;    // of the C function; by default the output's, without .o
  std::string triple, cpu, features;
  bool strict = false;
};
/// Compiles a function to an object file and a C header.
int aot(const AotOptions& options);

/// The text of a file, or of standard input for "-". BackendError when it cannot be read, ParseError when it is blank.
std::string read_program(const std::string& path);
/// Writes a file whole or not at all; to standard output for "-" or "".
void write_text(const std::string& path, const std::string& text);

}  // namespace weftc
