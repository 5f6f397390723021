// Teaches a transformer to write like a text, character by character, and lets it write. It goes on from its last
// checkpoint, and logs for TensorBoard.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "corpus.h"
#include "model.h"
#include "optim/losses.h"
#include "optim/optim.h"
#include "sample.h"
#include "train/checkpoint.h"
#include "train/csv_reader.h"
#include "train/csv_writer.h"
#include "train/metric_writer.h"
#include "train/metrics.h"
#include "train/parameter_overview.h"
#include "train/plot.h"
#include "train/progress.h"
#include "train/train_state.h"

using char_lm::Array, char_lm::Transformer;
namespace nn = weft::nn;
namespace np = weft::np;
namespace optim = weft::optim;
namespace train = weft::train;

// Matrices by Muon (Jordan, 2024), embeddings and the last layer by AdamW, with steps of equal size (Liu et al., 2025).
using Optimizer = optim::Chain<optim::OnTrees<optim::ClipByGlobalNorm>, optim::contrib::Muon>;
Optimizer optimizer(const optim::Schedule& learning_rate, double weight_decay) {
  using Axes = optim::contrib::MuonDimensionNumbers;
  const auto matrices = [](const std::string& path, const Array& leaf) -> std::optional<Axes> {
    if (path.find("Block_") == std::string::npos || leaf.ndim() < 2) return {};
    if (leaf.ndim() == 2) return Axes();
    // Queries, keys and values are [width, heads, depth]; their sum over heads is [heads, depth, width].
    if (path.find("out") != std::string::npos) return Axes{.reduction_axes = {0, 1}, .output_axes = {2}};
    return Axes{.reduction_axes = {0}, .output_axes = {1, 2}};
  };
  return optim::chain(optim::clip_by_global_norm(1.0),
                      optim::contrib::muon(learning_rate, {.weight_decay = weight_decay,
                                                           .adam_weight_decay = weight_decay,
                                                           .muon_weight_dimension_numbers = matrices,
                                                           .consistent_rms = 0.2}));
}

using State = train::TrainState<nn::Collection, optim::StateOf<Optimizer, nn::Collection>>;

// All that a run is: what it has learned, which windows come next, and what its tokens mean. Keys follow from the step.
struct Run {
  State state;
  train::DataPosition position;
  std::string alphabet;
};

// Losses[batch, length], in nats, of windows u8[batch, length + 1]. Without a key, there is no dropout.
Array losses_of(const Transformer& model, const nn::Collection& params, const Array& windows, const Array& key = {}) {
  const Array tokens = windows.astype(weft::i32);
  const Array before = tokens(weft::slice(), weft::slice(0, -1)), next = tokens(weft::slice(), weft::slice(1, {}));
  nn::Rngs rngs;
  if (key.defined()) rngs["dropout"] = key;
  const Array logits =
      model.apply({{"params", params}}, {.rngs = rngs}, before, np::arange(before.shape(1)), !key.defined());
  return optim::softmax_cross_entropy_with_integer_labels(logits, next);
}

int main(int argc, char** argv) {
  char_lm::Shape shape;
  char_lm::Sampling sampling;
  int batch_size = 16, seed = 0;
  std::int64_t steps = 2500, warmup = 100, eval_every = 250, sampled = 0;
  double learning_rate = 0.01, weight_decay = 0.1;
  std::string out = "char_lm_run", dtype = "bf16", prompt = "\n";
  const char* data = std::getenv("WEFT_DATA_DIR");
  std::string text_file = data && *data ? std::string(data) + "/text/tinyshakespeare.txt" : "";
  CLI::App app("Trains a transformer on the characters of a text, and lets it write.");
  app.add_option("--text", text_file, "the file to learn from")->capture_default_str();
  app.add_option("--layers", shape.layers)->capture_default_str()->check(CLI::Range(1, 100));
  app.add_option("--width", shape.width, "features of each character")
      ->capture_default_str()
      ->check(CLI::Range(8, 8192));
  app.add_option("--heads", shape.heads, "of attention; they divide the width")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  app.add_option("--context", sampling.context, "characters that are seen at once")
      ->capture_default_str()
      ->check(CLI::Range(2, 8192));
  app.add_option("--dtype", dtype, "of matrix products")->capture_default_str()->check(CLI::IsMember({"bf16", "f32"}));
  app.add_option("--dropout", shape.dropout)->capture_default_str()->check(CLI::Range(0.0, 0.9));
  app.add_option("--steps", steps, "of training")->capture_default_str()->check(CLI::Range(0, 10000000));
  app.add_option("--batch", batch_size, "windows per step")->capture_default_str()->check(CLI::Range(1, 10000));
  app.add_option("--learning-rate", learning_rate, "after warming up; it falls to 0 along half a cosine")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--warmup", warmup, "steps in which the learning rate rises")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_option("--weight-decay", weight_decay)->capture_default_str()->check(CLI::NonNegativeNumber);
  app.add_option("--eval-every", eval_every, "steps between validations and checkpoints")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--sample", sampled, "only write so many characters, with the last checkpoint")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_option("--prompt", prompt, "what the text to write begins with; a line by default")
      ->check([](const std::string& s) { return std::string(s.empty() ? "must not be empty" : ""); });
  app.add_option("--temperature", sampling.temperature, "below 1, likely characters become likelier")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 10.0));
  app.add_option("--seed", seed)->capture_default_str();
  app.add_option("--out", out, "folder for checkpoints, logs and pictures; a run that is there goes on")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  try {
    const std::string text = text_of_file(text_file), alphabet = alphabet_of(text);
    shape.characters = static_cast<int>(alphabet.size());
    shape.dtype = dtype == "f32" ? weft::f32 : weft::bf16;
    sampling.seed = seed;
    if (shape.width % (2 * shape.heads) != 0)
      throw weft::ValueError("char_lm: each head must have an even number of features; got " +
                             std::to_string(shape.width) + " features for " + std::to_string(shape.heads) + " heads.");
    const Transformer model{.shape = shape};

    const Tokens tokens = tokens_of(text, alphabet);
    const auto split = tokens.begin() + static_cast<std::int64_t>(tokens.size() * 9 / 10);
    train::Pipeline windows(Windows{Tokens(tokens.begin(), split), sampling.context, true},
                            {.batch_size = batch_size, .seed = seed, .prefetch = 2});
    const Windows held_out{Tokens(split, tokens.end()), sampling.context, false};
    if (windows.batches_per_epoch() == 0 || held_out.size() == 0)
      throw weft::ValueError("char_lm: the text must be long enough for a batch of windows and one to validate with.");

    const Optimizer tx = optimizer(
        optim::warmup_cosine_decay_schedule(
            {.peak_value = learning_rate, .warmup_steps = warmup, .decay_steps = std::max(steps, warmup + 1)}),
        weight_decay);
    const auto train_step = weft::jit(
        [&](const State& state, const Array& batch, const Array& key) {
          const auto loss = [&](const nn::Collection& params) {
            return np::mean(losses_of(model, params, batch, weft::random::fold_in(key, state.step)));
          };
          const auto [value, grads] = weft::value_and_grad(loss)(state.params);
          return std::pair(state.apply_gradients(tx, grads), value);
        },
        {.name = "train_step", .donate = {0}});
    const auto eval_step =
        weft::jit([&](const nn::Collection& params, const Array& batch,
                      const Array& mask) { return train::metrics::Average::of(losses_of(model, params, batch), mask); },
                  {.name = "eval_step"});
    const auto init = weft::jit([&](const Array& key) {
      return model.init(key, np::zeros({1, sampling.context}, weft::i32), np::arange(sampling.context), true);
    });

    const Array dropout_key = weft::random::key(seed + 1);
    Run run{train::create_train_state(init(weft::random::key(seed)).at("params"), tx), windows.position(), alphabet};
    train::CheckpointReport report;
    run = train::restore_checkpoint(out, run, {}, &report);
    if (run.alphabet != alphabet)
      throw weft::ValueError("char_lm: a run that goes on must have a text of the same characters; got another one.",
                             "--out names another folder for another text");
    windows.seek(run.position);
    if (!report.path.empty()) std::printf("goes on from %s\n", report.path.c_str());
    if (report.path.empty() && sampled > 0)
      throw weft::ValueError("char_lm: --sample needs a checkpoint; got none in " + out + ".");
    std::printf("%lld parameters, %d characters, %zu of text\n",
                static_cast<long long>(train::count_parameters(run.state.params)), shape.characters, text.size());

    const auto validate = [&] {
      train::Pipeline batches(
          held_out, {.batch_size = batch_size, .shuffle = false, .remainder = train::Remainder::kPad, .num_epochs = 1});
      auto mean = train::metrics::Average::empty();
      while (auto batch = batches.next()) mean = mean.merge(eval_step(run.state.params, batch->examples, batch->mask));
      return mean.compute().item<double>();
    };
    const auto write = [&](std::int64_t count) {
      Tokens written = tokens_of(prompt, alphabet);
      std::cout << prompt;
      char_lm::sample(shape, run.state.params, written, count, sampling,
                      [&](std::uint8_t token) { std::cout << alphabet[token] << std::flush; });
      std::cout << "\n";
    };
    if (sampled > 0) {
      write(sampled);
      return 0;
    }

    const auto writer = train::create_default_writer(out);
    // The curves' points, which must be in the file before a checkpoint that comes after them.
    train::CsvWriter points(out + "/curve.csv");
    std::int64_t step = run.state.step.item<std::int64_t>();
    while (step < steps) {
      const std::int64_t first = step, until = std::min(steps, (step / eval_every + 1) * eval_every);
      const std::int64_t tokens_per_step = batch_size * sampling.context;
      train::Progress progress("step " + std::to_string(until) + "/" + std::to_string(steps),
                               (until - first) * tokens_per_step, "tokens");
      double train_loss = 0;  // the mean of these steps
      for (; step < until; ++step) {
        const auto batch = windows.next().value();  // there is no last one
        auto [next, loss] = train_step(std::move(run.state), batch.examples, dropout_key);
        run.state = std::move(next);
        run.position = batch.next;
        train_loss += loss.item<double>() / static_cast<double>(until - first);
        progress.advance(tokens_per_step, {{"loss", loss.item<double>()}});
      }
      progress.finish({{"loss", train_loss}});

      const double validation_loss = validate();
      std::printf("step %lld: training loss %.4f, validation loss %.4f, %.0f tokens per second\n",
                  static_cast<long long>(step), train_loss, validation_loss, progress.rate());
      const train::MetricWriter::Scalars losses = {{"train/loss", train_loss}, {"validation/loss", validation_loss}};
      writer->write_scalars(step, losses);
      writer->write_scalars(step, {{"tokens_per_second", progress.rate()}});
      points.write_scalars(step, losses);
      points.flush();
      train::save_checkpoint(out, run, step);
    }
    writer->close();
    points.close();

    write(500);
    const auto begin = tokens.begin();
    std::printf("with and without the cache, logits differ by %.6f at most\n",
                char_lm::cache_error(shape, run.state.params, Tokens(begin, begin + sampling.context)));
    train::line_plot(
        out + "/curve.png",
        {.title = "characters of " + text_file.substr(text_file.rfind('/') + 1),
         .x_label = "step",
         .panels = {{"loss in nats", train::read_series(out + "/curve.csv", {"train/loss", "validation/loss"})}}});
    std::printf("wrote %s/curve.png\n", out.c_str());
    return 0;
  } catch (const weft::Error& e) {
    std::fprintf(stderr, "%s: %s\n", std::string(e.kind()).c_str(), e.what());
    return 1;
  }
}
