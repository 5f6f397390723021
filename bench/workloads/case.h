// A workload has a name and parameters; a case is one way to run it: Weft's, or a peer's. This file knows how cases are
// listed, timed and printed, and nothing of what they compute, nor of Weft: peers are compiled with options of their
// own.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace workloads {

/// What one run does, for the rates that are printed beside its time.
struct Amount {
  double flops = 0, bytes = 0;
};

/// A case with its operands in memory, ready to be run any number of times.
struct Runnable {
  std::function<void()> run;
  /// The kernels and memory of the program, for people. Empty for peers.
  std::function<std::string()> kernels = {};
};

/// `peer` is who runs it; names and parameters are those of the peers' own scripts, so that lines can be compared.
struct Case {
  std::string peer, workload, params;
  Amount amount;
  std::function<Runnable(int threads)> prepare;
};
using Cases = std::vector<Case>;

/// How long to measure: `seconds` of timed runs, at least three of them, unless one alone takes longer than that.
struct Effort {
  double seconds = 0.4;
};

/// The median time of a run, as the line "peer,workload,params,threads,median_ms,derived". What goes wrong is such a
/// line, too: NaN and the error.
std::string measure(const Case& c, const Runnable& prepared, int threads, const Effort& effort);

/// The line of a case that could not be prepared or run.
std::string failure(const Case& c, int threads, const std::string& error);

// The families, each in a file of its own.
void add_products(Cases& cases);
void add_elementwise(Cases& cases);
void add_rows(Cases& cases);
void add_convolutions(Cases& cases);
void add_mlp(Cases& cases);
void add_cnn(Cases& cases);
void add_transformer(Cases& cases);
void add_lstm(Cases& cases);
void add_small(Cases& cases);
void add_reductions(Cases& cases);
void add_moving(Cases& cases);
void add_random(Cases& cases);
void add_linalg(Cases& cases);
// The training steps of examples/, where this build has the libraries that they need.
void add_examples_of_images(Cases& cases);
void add_examples_of_text(Cases& cases);

// Peers that run in this process, where this build has them: oneDNN, and loops written by hand, which are no peer but
// the practical limit.
void add_onednn(Cases& cases);
void add_hand(Cases& cases);

}  // namespace workloads
