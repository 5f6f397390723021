// Teaches a pair of LSTMs to add (Sutskever et al., "Sequence to Sequence Learning with Neural Networks", 2014): one
// reads "12+345", its last state is all that the other one has to write "357", character by character. A run that is
// killed goes on from its last checkpoint, and ends as if it had never stopped.
#include <cmath>
#include <cstdio>

#include "flags.h"
#include "model.h"
#include "sums.h"
#include "train/data.h"
#include "train/plot.h"
#include "train/progress.h"
#include "train/run_folder.h"
#include "weft/weft.h"

namespace train = weft::train;
using seq2seq::Sums;

struct Flags {
  int digits = 3, hidden = 512, seed = 0;
  std::int64_t steps = 10000, batch = 256, eval_every = 500;
  double learning_rate = 4e-3, held_out = 0.01;
  std::string out = "seq2seq_run";

  explicit Flags(CLI::App& app) {
    app.option_defaults()->always_capture_default();
    app.add_option("--steps", steps)->check(CLI::Range(1, 1000000));
    app.add_option("--digits", digits, "numbers have at most so many")->check(CLI::Range(1, 3));
    app.add_option("--hidden", hidden, "features of each LSTM")->check(CLI::Range(1, 8192));
    app.add_option("--batch", batch, "sums per step")->check(CLI::Range(1, 10000));
    app.add_option("--learning-rate", learning_rate, "at first; it falls to 0 along half a cosine")
        ->check(CLI::PositiveNumber);
    app.add_option("--held-out", held_out, "share of all sums to test with, which are never trained on")
        ->check(CLI::Range(0.0001, 0.5));
    app.add_option("--eval-every", eval_every, "steps between tests and checkpoints")->check(CLI::PositiveNumber);
    app.add_option("--seed", seed);
    app.add_option("--out", out, "folder for checkpoints, logs and pictures; a run that is there goes on");
  }
};

// All that a run is: what it has learned, and which sums come next.
struct Run {
  seq2seq::State state;
  train::DataPosition position;
};

void learn_to_add(const Flags& flags, train::RunFolder folder) {
  const auto num_test =
      static_cast<std::int64_t>(std::llround(flags.held_out * static_cast<double>(seq2seq::num_sums(flags.digits))));
  const auto [test, others] = seq2seq::all_sums(flags.digits, num_test, flags.seed);
  const Sums train_sums = seq2seq::with_short_ones_repeated(others);
  std::printf("sums: %lld to train with, %lld when short ones are repeated; %lld held out\n",
              static_cast<long long>(others.size()), static_cast<long long>(train_sums.size()),
              static_cast<long long>(test.size()));
  train::Pipeline data(train_sums, {.batch_size = flags.batch, .seed = flags.seed, .prefetch = 2});
  check_fills_batch(train_sums.size(), "sums", flags.batch);

  const seq2seq::Seq2Seq model{.hidden = flags.hidden};
  const seq2seq::Optimizer tx = seq2seq::optimizer(flags.learning_rate, flags.steps);
  const auto train_step = weft::jit(seq2seq::TrainStep{model, tx}, {.name = "train_step", .donate = {0}});
  const auto eval_step = weft::jit(seq2seq::EvalStep{model}, {.name = "eval_step"});

  Run run = folder.restore(
      Run{seq2seq::first_state(model, tx, test.some(0, 1), weft::random::key(flags.seed)), data.position()});
  data.seek(run.position);

  // The share of held-out sums that is right, in percent. Shows the first five.
  const auto tested = [&] {
    constexpr std::int64_t kTogether = 1000, kShown = 5;
    std::int64_t right = 0;
    for (std::int64_t i = 0; i < test.size(); i += kTogether) {
      const Sums sums = test.some(i, i + kTogether);
      const seq2seq::Written written = eval_step(run.state.params, sums);
      right += weft::np::sum(written.right).item<std::int64_t>();
      for (std::int64_t n = 0; i == 0 && n < std::min(kShown, sums.size()); ++n) {
        const auto text = [&](const weft::Array& t) { return seq2seq::text_of(t(n).to_vector<std::uint8_t>()); };
        std::printf("  %s=%s%s\n", text(sums.questions).c_str(), text(written.answers).c_str(),
                    written.right(n).item<bool>() ? "" : (" instead of " + text(sums.answers).substr(1)).c_str());
      }
    }
    return 100 * static_cast<double>(right) / static_cast<double>(test.size());
  };

  std::int64_t step = run.state.step.item<std::int64_t>();
  while (step < flags.steps) {
    const std::int64_t first = step, until = std::min(flags.steps, (step / flags.eval_every + 1) * flags.eval_every);
    train::Progress progress("step " + std::to_string(until) + "/" + std::to_string(flags.steps), until - first,
                             "steps");
    double loss = 0;  // the mean of these steps
    for (; step < until; ++step) {
      const auto batch = data.next().value();  // there is no last one
      auto [next, value] = train_step(std::move(run.state), batch.examples);
      run = {std::move(next), batch.next};
      loss += value.item<double>() / static_cast<double>(until - first);
      progress.advance(1, {{"loss", value.item<double>()}});
    }
    progress.finish({{"loss", loss}});

    const double accuracy = tested();
    std::printf("step %lld: loss %.5f, %.2f %% right\n", static_cast<long long>(step), loss, accuracy);
    folder.write_scalars(step, {{"train/loss", loss}, {"test/accuracy", accuracy}});
    folder.save(run, step);
  }

  train::line_plot(folder.file("curve.png"),
                   {.title = "sums of numbers with up to " + std::to_string(flags.digits) + " digits",
                    .x_label = "step",
                    .panels = {{"loss", folder.series({"train/loss"}), 0},
                               {"right in %", folder.series({"test/accuracy"}), 0, 100}}});
  std::printf("wrote %s\n", folder.file("curve.png").c_str());
  const double accuracy = tested();
  std::printf("%.2f %% of %lld held-out sums right after %lld steps\n", accuracy, static_cast<long long>(test.size()),
              static_cast<long long>(step));
}

int main(int argc, char** argv) {
  CLI::App app("Teaches two LSTMs to add numbers that are written with digits.");
  Flags flags(app);
  CLI11_PARSE(app, argc, argv);
  return guarded(
      [&] { learn_to_add(flags, train::RunFolder(flags.out, run_settings(app, {"--out", "--eval-every"}))); });
}
