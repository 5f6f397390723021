// Teaches a pair of LSTMs to add (Sutskever et al., "Sequence to Sequence Learning with Neural Networks", 2014): one
// reads "12+345", its last state is all that the other one has to write "357", character by character. It goes on from
// its last checkpoint, and logs for TensorBoard.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "nn/nn.h"
#include "optim/losses.h"
#include "optim/optim.h"
#include "sums.h"
#include "train/checkpoint.h"
#include "train/csv_reader.h"
#include "train/csv_writer.h"
#include "train/data.h"
#include "train/metric_writer.h"
#include "train/plot.h"
#include "train/progress.h"
#include "train/train_state.h"

using weft::Array;
namespace nn = weft::nn;
namespace np = weft::np;
namespace optim = weft::optim;
namespace train = weft::train;

constexpr int kCharacters = static_cast<int>(kAlphabet.size());

// The state of an LSTM that has read each question, i32[batch, length], from its end to its beginning: so what was read
// last is what the answer begins with.
struct Encoder : nn::Module<Encoder> {
  int hidden = 0;
  nn::LSTMCarry call(const Array& questions) const {
    using Rnn = nn::RNN<nn::OptimizedLSTMCell>;
    const Array lengths = np::sum(questions != kPadding, -1);
    return Rnn{.cell = {.features = hidden}}
        .invoke(&Rnn::with_carry, nn::one_hot(questions, kCharacters),
                nn::Sequences<nn::LSTMCarry>{.seq_lengths = lengths, .reverse = true})
        .first;
  }
};

// One character of an answer. The character before it is the right one with teacher forcing, else what the decoder
// itself thought likeliest, which it carries along.
struct DecoderCell : nn::Module<DecoderCell> {
  int hidden = 0;
  bool teacher_forcing = true;
  using Carry = std::pair<nn::LSTMCarry, Array>;
  std::pair<Carry, Array> call(const Carry& carry, const Array& right) const {
    const Array& before = teacher_forcing ? right : carry.second;
    const auto [state, y] = nn::OptimizedLSTMCell{.features = hidden}(carry.first, nn::one_hot(before, kCharacters));
    const Array logits = nn::Dense{.features = kCharacters}(y);
    return {{state, np::argmax(logits, -1)}, logits};
  }
};

// Logits[batch, length, character] of answers to questions. Of `answers`, which begin with "=" and are shifted by one,
// nothing but that first character is looked at without teacher forcing.
struct Seq2Seq : nn::Module<Seq2Seq> {
  int hidden = 512;
  Array call(const Array& questions, const Array& answers, bool teacher_forcing) const {
    const nn::LSTMCarry state = Encoder{.hidden = hidden}(questions);
    const auto decoder =
        nn::scan(DecoderCell{.hidden = hidden, .teacher_forcing = teacher_forcing},
                 {.variable_broadcast = "params", .split_rngs = {{"params", false}}, .in_axes = 1, .out_axes = 1});
    return decoder(DecoderCell::Carry(state, answers(weft::slice(), 0)), answers).second;
  }
};

// The answers without their ends, which the decoder reads, and without their beginnings, which it is to write.
std::pair<Array, Array> shifted(const Array& answers) {
  return {answers(weft::slice(), weft::slice(0, -1)), answers(weft::slice(), weft::slice(1, {}))};
}

struct Written {
  Array answers;  // u8[n, length]
  Array right;    // bool[n]: whether all characters up to the end are
};

using Optimizer = optim::Chain<optim::OnTrees<optim::ClipByGlobalNorm>, optim::Descent<optim::ScaleByAdam>>;
using State = train::TrainState<nn::Collection, optim::StateOf<Optimizer, nn::Collection>>;

// All that a run is: what it has learned, and which sums come next.
struct Run {
  State state;
  train::DataPosition position;
};

int main(int argc, char** argv) {
  int digits = 3, hidden = 512, batch_size = 128, seed = 0;
  std::int64_t steps = 10000, eval_every = 500, held_out = 10000;
  double learning_rate = 1e-3;
  std::string out = "seq2seq_run";
  CLI::App app("Teaches two LSTMs to add numbers that are written with digits.");
  app.add_option("--steps", steps)->capture_default_str()->check(CLI::Range(1, 1000000));
  app.add_option("--digits", digits, "numbers have at most so many")->capture_default_str()->check(CLI::Range(1, 3));
  app.add_option("--hidden", hidden, "features of each LSTM")->capture_default_str()->check(CLI::Range(1, 8192));
  app.add_option("--batch", batch_size, "sums per step")->capture_default_str()->check(CLI::Range(1, 10000));
  app.add_option("--learning-rate", learning_rate, "at first; it falls to 0 along half a cosine")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--held-out", held_out, "sums to test with, at most a tenth of all, which are never trained on")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--eval-every", eval_every, "steps between tests and checkpoints")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--seed", seed)->capture_default_str();
  app.add_option("--out", out, "folder for checkpoints, logs and pictures; a run that is there goes on")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  try {
    const auto [test, train_sums] = all_sums(digits, held_out, seed);
    const std::int64_t num_test = test.questions.shape(0), num_train = train_sums.questions.shape(0);
    std::printf("sums: %lld to train with, %lld held out\n", static_cast<long long>(num_train),
                static_cast<long long>(num_test));
    train::Pipeline data(train_sums,
                         {.batch_size = std::min<std::int64_t>(batch_size, num_train), .seed = seed, .prefetch = 2});

    const Seq2Seq model{.hidden = hidden};
    const Optimizer tx =
        optim::chain(optim::clip_by_global_norm(1.0), optim::adam(optim::cosine_decay_schedule(learning_rate, steps)));
    const auto train_step = weft::jit(
        [&](const State& state, const Sums& batch) {
          // Mean cross entropy of the answers' characters, the end included, the padding not.
          const auto loss = [&](const nn::Collection& params) {
            const auto [before, targets] = shifted(batch.answers.astype(weft::i32));
            const Array logits = model.apply({{"params", params}}, batch.questions.astype(weft::i32), before, true);
            return np::mean(optim::softmax_cross_entropy_with_integer_labels(logits, targets), {},
                            {.where = targets != kPadding});
          };
          const auto [value, grads] = weft::value_and_grad(loss)(state.params);
          return std::pair(state.apply_gradients(tx, grads), value);
        },
        {.name = "train_step", .donate = {0}});
    const auto write = weft::jit(
        [&](const nn::Collection& params, const Sums& sums) {
          const auto [begin, targets] = shifted(sums.answers.astype(weft::i32));
          const Array logits = model.apply({{"params", params}}, sums.questions.astype(weft::i32), begin, false);
          const Array answers = np::argmax(logits, -1);
          return Written{answers.astype(weft::u8),
                         np::all(np::logical_or(answers == targets, targets == kPadding), -1)};
        },
        {.name = "write"});

    const Sums some{test.questions(weft::slice(0, 1)), test.answers(weft::slice(0, 1))};
    const auto init = weft::jit([&](const Array& key) {
      return model.init(key, some.questions.astype(weft::i32), shifted(some.answers.astype(weft::i32)).first, true);
    });
    Run run{train::create_train_state(init(weft::random::key(seed)).at("params"), tx), data.position()};
    train::CheckpointReport report;
    run = train::restore_checkpoint(out, run, {}, &report);
    data.seek(run.position);
    if (!report.path.empty()) std::printf("goes on from %s\n", report.path.c_str());

    // Shows some answers; the share of them all that is right, in percent.
    const auto tested = [&] {
      constexpr std::int64_t kTogether = 1000, kShown = 5;
      std::int64_t right = 0;
      for (std::int64_t i = 0; i < num_test; i += kTogether) {
        const weft::Index part = weft::slice(i, std::min(i + kTogether, num_test));
        const Sums sums{test.questions(part), test.answers(part)};
        const Written written = write(run.state.params, sums);
        right += np::sum(written.right).item<std::int64_t>();
        if (i > 0) continue;
        for (std::int64_t n = 0; n < std::min(kShown, num_test); ++n) {
          const auto text = [&](const Array& table) { return text_of(table(n).to_vector<std::uint8_t>()); };
          std::printf("  %s=%s%s\n", text(sums.questions).c_str(), text(written.answers).c_str(),
                      written.right(n).item<bool>() ? "" : (" instead of " + text(sums.answers).substr(1)).c_str());
        }
      }
      return 100 * static_cast<double>(right) / static_cast<double>(num_test);
    };

    const auto writer = train::create_default_writer(out);
    // The curves' points, which must be in the file before a checkpoint that comes after them.
    train::CsvWriter points(out + "/curve.csv");
    std::int64_t step = run.state.step.item<std::int64_t>();
    if (step >= steps) std::printf("%.2f %% of the held-out sums right\n", tested());
    while (step < steps) {
      const std::int64_t first = step, until = std::min(steps, (step / eval_every + 1) * eval_every);
      train::Progress progress("step " + std::to_string(until) + "/" + std::to_string(steps), until - first, "steps");
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
      std::printf("step %lld: loss %.5f, %.2f %% of the held-out sums right\n", static_cast<long long>(step), loss,
                  accuracy);
      const train::MetricWriter::Scalars scalars = {{"train/loss", loss}, {"test/accuracy", accuracy}};
      writer->write_scalars(step, scalars);
      points.write_scalars(step, scalars);
      points.flush();
      train::save_checkpoint(out, run, step);
    }
    writer->close();
    points.close();

    const auto series = [&](const std::string& name) { return train::read_series(out + "/curve.csv", {name}); };
    train::line_plot(out + "/curve.png",
                     {.title = "sums of numbers with up to " + std::to_string(digits) + " digits",
                      .x_label = "step",
                      .panels = {{"loss", series("train/loss"), 0}, {"right in %", series("test/accuracy"), 0, 100}}});
    std::printf("wrote %s/curve.png\n", out.c_str());
    return 0;
  } catch (const weft::Error& e) {
    std::fprintf(stderr, "%s: %s\n", std::string(e.kind()).c_str(), e.what());
    return 1;
  }
}
