// Teaches a transformer to write like a text, character by character, and lets it write. A run that is killed goes on
// from its last checkpoint, and ends as if it had never stopped.
#include <cstdio>
#include <iostream>

#include "corpus.h"
#include "flags.h"
#include "model.h"
#include "optim/optim.h"
#include "sample.h"
#include "step.h"
#include "train/data.h"
#include "train/data_folder.h"
#include "train/md5.h"
#include "train/metrics.h"
#include "train/parameter_overview.h"
#include "train/plot.h"
#include "train/progress.h"
#include "train/run_folder.h"

namespace nn = weft::nn;
namespace optim = weft::optim;
namespace train = weft::train;
using char_lm::Array, char_lm::Tokens, char_lm::Transformer, char_lm::Windows;

struct Flags {
  char_lm::TransformerSizes sizes;
  char_lm::Sampling sampling;
  int batch = 16, seed = 0;
  std::int64_t steps = 1500, warmup = 100, eval_every = 250, sample = 0;
  double learning_rate = 0.01, weight_decay = 0.1;
  std::string text, dtype = "bf16", prompt = "\n", out = "char_lm_run";

  explicit Flags(CLI::App& app) {
    app.option_defaults()->always_capture_default();
    app.add_option("--text", text, "the file to learn from; else $WEFT_DATA_DIR/text/tinyshakespeare.txt");
    app.add_option("--layers", sizes.layers)->check(CLI::Range(1, 100));
    app.add_option("--width", sizes.width, "features of each character")->check(CLI::Range(8, 8192));
    app.add_option("--heads", sizes.heads, "of attention; they divide the width")->check(CLI::Range(1, 100));
    app.add_option("--context", sampling.context, "characters that are seen at once")->check(CLI::Range(2, 8192));
    app.add_option("--dtype", dtype, "of matrix products")->check(CLI::IsMember({"bf16", "f32"}));
    app.add_option("--dropout", sizes.dropout)->check(CLI::Range(0.0, 0.9));
    app.add_option("--steps", steps, "of training")->check(CLI::Range(1, 10000000));
    app.add_option("--batch", batch, "windows per step")->check(CLI::Range(1, 10000));
    app.add_option("--learning-rate", learning_rate, "after warming up; it falls to 0 along half a cosine")
        ->check(CLI::PositiveNumber);
    app.add_option("--warmup", warmup, "steps in which the learning rate rises")->check(CLI::NonNegativeNumber);
    app.add_option("--weight-decay", weight_decay)->check(CLI::NonNegativeNumber);
    app.add_option("--eval-every", eval_every, "steps between validations and checkpoints")->check(CLI::PositiveNumber);
    app.add_option("--seed", seed);
    app.add_option("--out", out, "folder for checkpoints, logs and pictures; a run that is there goes on");
    app.add_option("--sample", sample, "only write so many characters, with what the run in --out has learned")
        ->check(CLI::PositiveNumber);
    app.add_option("--prompt", prompt, "what the text to write begins with; a line by default")
        ->check([](const std::string& s) { return std::string(s.empty() ? "must not be empty" : ""); });
    app.add_option("--temperature", sampling.temperature, "below 1, likely characters become likelier")
        ->check(CLI::Range(0.0, 10.0));
    app.add_option("--sample-seed", sampling.seed, "another one gives another text");
  }
  // All that a run is begun with: options, but for those that change nothing that is learned, and `others`.
  static train::Settings settings(const CLI::App& app, const train::Settings& others) {
    return run_settings(
        app, {"--text", "--eval-every", "--out", "--sample", "--prompt", "--temperature", "--sample-seed"}, others);
  }
  Transformer model(const std::string& alphabet) const {
    if (sizes.width % (2 * sizes.heads) != 0)
      throw weft::ValueError("char_lm: each head must have an even number of features; got --width " +
                                 std::to_string(sizes.width) + " for --heads " + std::to_string(sizes.heads) + ".",
                             "take a multiple of " + std::to_string(2 * sizes.heads) + " for --width");
    Transformer model{.sizes = sizes};
    model.sizes.characters = static_cast<int>(alphabet.size());
    model.sizes.dtype = dtype == "f32" ? weft::f32 : weft::bf16;
    return model;
  }
};

// All that a run is: what it has learned, which windows come next, and what its tokens mean. Keys follow from the step.
struct Run {
  char_lm::State state;
  train::DataPosition position;
  std::string alphabet;
};

// The part of a run that text is written with.
struct Learned {
  struct State {
    nn::Collection params;
  } state;
  std::string alphabet;
};

void write(const Flags& flags, const Transformer& model, const Learned& learned, std::int64_t count) {
  Tokens tokens = char_lm::tokens_of(flags.prompt, learned.alphabet);
  std::cout << flags.prompt;
  char_lm::sample(model.sizes, learned.state.params, tokens, count, flags.sampling,
                  [&](std::uint8_t token) { std::cout << learned.alphabet[token] << std::flush; });
  std::cout << "\n";
}

// The mode --sample. Shapes of parameters depend on the alphabet, so that is read first.
void write_as_learned(const Flags& flags, const train::RunFolder& folder) {
  Learned learned = folder.learned(Learned(), {.allow_extra = true});
  const Transformer model = flags.model(learned.alphabet);
  learned.state.params = char_lm::first_params(model, flags.sampling.context, weft::random::key(0));
  write(flags, model, folder.learned(learned, {.allow_extra = true}), flags.sample);
}

void learn_to_write(const Flags& flags, const std::string& text, train::RunFolder folder) {
  const std::int64_t context = flags.sampling.context;
  const std::string alphabet = char_lm::alphabet_of(text);
  const Transformer model = flags.model(alphabet);
  const Tokens tokens = char_lm::tokens_of(text, alphabet);
  const auto split = tokens.begin() + static_cast<std::int64_t>(tokens.size() * 9 / 10);
  const Windows windows{Tokens(tokens.begin(), split), context, flags.seed};
  const Windows held_out{Tokens(split, tokens.end()), context};
  if (held_out.size() == 0)
    throw weft::ValueError("char_lm: a tenth of the text must have a window to validate with; got " +
                               std::to_string(held_out.tokens.size()) + " characters for --context " +
                               std::to_string(context) + ".",
                           "take a longer --text, or a smaller --context");
  check_fills_batch(windows.size(), "windows", flags.batch);
  train::Pipeline data(windows, {.batch_size = flags.batch, .seed = flags.seed, .prefetch = 2});

  const char_lm::Optimizer tx =
      char_lm::optimizer(optim::warmup_cosine_decay_schedule({.peak_value = flags.learning_rate,
                                                              .warmup_steps = flags.warmup,
                                                              .decay_steps = std::max(flags.steps, flags.warmup + 1)}),
                         flags.weight_decay, model.sizes.dtype);
  const auto train_step = weft::jit(char_lm::TrainStep{model, tx}, {.name = "train_step", .donate = {0}});
  const auto eval_step = weft::jit(char_lm::EvalStep{model}, {.name = "eval_step"});

  const Array keys = weft::random::split(weft::random::key(flags.seed)), dropout_key = keys(1);
  Run run = folder.restore(Run{char_lm::first_state(model, tx, context, keys(0)), data.position(), alphabet});
  data.seek(run.position);
  std::printf("%lld parameters, %zu different characters in a text of %zu\n",
              static_cast<long long>(train::count_parameters(run.state.params)), alphabet.size(), text.size());

  const auto validation_loss = [&] {
    train::Pipeline batches(
        held_out, {.batch_size = flags.batch, .shuffle = false, .remainder = train::Remainder::kPad, .num_epochs = 1});
    auto mean = train::metrics::Average::empty();
    while (auto batch = batches.next()) mean = mean.merge(eval_step(run.state.params, batch->examples, batch->mask));
    return mean.compute().item<double>();
  };

  std::int64_t step = run.state.step.item<std::int64_t>();
  while (step < flags.steps) {
    const std::int64_t first = step, until = std::min(flags.steps, (step / flags.eval_every + 1) * flags.eval_every);
    const std::int64_t tokens_per_step = flags.batch * context;
    train::Progress progress("step " + std::to_string(until) + "/" + std::to_string(flags.steps),
                             (until - first) * tokens_per_step, "tokens");
    double loss = 0, compiled = 0;  // the mean of these steps; when the first was done
    for (; step < until; ++step) {
      const auto batch = data.next().value();  // there is no last one
      auto [next, value] = train_step(std::move(run.state), batch.examples, dropout_key);
      run.state = std::move(next);
      run.position = batch.next;
      loss += value.item<double>() / static_cast<double>(until - first);
      progress.advance(tokens_per_step, {{"loss", value.item<double>()}});
      if (step == first) compiled = progress.elapsed();
    }
    progress.finish({{"loss", loss}});
    const double seconds = progress.elapsed() - compiled;

    const double validation = validation_loss();
    std::printf("step %lld: training loss %.4f, validation loss %.4f", static_cast<long long>(step), loss, validation);
    if (until - first > 1) {
      const double rate = static_cast<double>((until - first - 1) * tokens_per_step) / seconds;
      std::printf(", %.0f tokens per second", rate);
      folder.writer().write_scalars(step, {{"tokens_per_second", rate}});
    }
    std::printf("\n");
    folder.write_scalars(step, {{"train/loss", loss}, {"validation/loss", validation}});
    folder.save(run, step);
  }

  write(flags, model, {{run.state.params}, alphabet}, 500);
  std::printf("with and without the cache, logits differ by %.6f at most\n",
              char_lm::cache_error(model.sizes, run.state.params, Tokens(tokens.begin(), tokens.begin() + context)));
  train::line_plot(folder.file("curve.png"),
                   {.title = "predicting the next character",
                    .x_label = "step",
                    .panels = {{"loss in nats", folder.series({"train/loss", "validation/loss"})}}});
  std::printf("wrote %s\n", folder.file("curve.png").c_str());
  std::printf("validation loss %.4f after %lld steps\n", validation_loss(), static_cast<long long>(step));
}

int main(int argc, char** argv) {
  CLI::App app("Trains a transformer on the characters of a text, and lets it write.");
  Flags flags(app);
  CLI11_PARSE(app, argc, argv);
  return guarded([&] {
    if (app.count("--sample") > 0) {
      const train::Settings others = take_settings(app, flags.out);
      return write_as_learned(flags, train::RunFolder(flags.out, Flags::settings(app, others)));
    }
    const std::string text =
        char_lm::text_of_file(flags.text.empty() ? train::data_folder("text") + "/tinyshakespeare.txt" : flags.text);
    const std::string identity =
        std::to_string(text.size()) + " bytes, MD5 " + train::md5(std::as_bytes(std::span(text)));
    learn_to_write(flags, text, train::RunFolder(flags.out, Flags::settings(app, {{"characters", identity}})));
  });
}
