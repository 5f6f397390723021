// Trains a transformer to translate German to English, on the captions of Multi30k, and tells its BLEU; or translates
// with what a run has learned. A run that is killed goes on from its last epoch, and ends as if it had never stopped.
#include <algorithm>
#include <cstdio>
#include <iostream>

#include "bleu.h"
#include "corpus.h"
#include "flags.h"
#include "step.h"
#include "train/data.h"
#include "train/data_folder.h"
#include "train/md5.h"
#include "train/plot.h"
#include "train/progress.h"
#include "train/run_folder.h"
#include "transformer.h"
#include "translator.h"

namespace nn = weft::nn;
namespace train = weft::train;
using translate::BatchesByLength, translate::Bleu, translate::BytePairEncoding, translate::ParallelText,
    translate::Transformer, translate::Translator;
using weft::Array;

struct Flags {
  translate::TransformerSizes sizes;
  translate::BeamSearch beam;
  std::int64_t epochs = 20, tokens = 2048, pairs = 1000000, warmup = 600, bleu_every = 5, seed = 0;
  double learning_rate = 2e-3, smoothing = 0.1, decay = 0.998;
  std::string dtype = "bf16", data, out = "translate_run", sentence;
  bool profile = false;

  explicit Flags(CLI::App& app) {
    app.option_defaults()->always_capture_default();
    app.add_option("--data", data, "where train, val and test_2016_flickr are; else $WEFT_DATA_DIR/multi30k");
    app.add_option("--epochs", epochs, "passes over the training pairs")->check(CLI::Range(1, 1000));
    app.add_option("--tokens", tokens, "per step, of each language, with padding")->check(CLI::Range(48, 1 << 20));
    app.add_option("--pairs", pairs, "train on so many of them at most")->check(CLI::PositiveNumber);
    app.add_option("--vocabulary", sizes.vocabulary, "tokens of both languages")->check(CLI::Range(300, 100000));
    app.add_option("--layers", sizes.layers, "of the encoder, and of the decoder")->check(CLI::Range(1, 24));
    app.add_option("--features", sizes.features)->check(CLI::Range(2, 4096));
    app.add_option("--heads", sizes.heads, "of attention; they divide the features")->check(CLI::Range(1, 64));
    app.add_option("--hidden", sizes.hidden, "features inside of feed-forward networks")->check(CLI::Range(1, 16384));
    app.add_option("--dropout", sizes.dropout)->check(CLI::Range(0.0, 0.9));
    app.add_option("--dtype", dtype, "of matrix products in training")->check(CLI::IsMember({"bf16", "f32"}));
    app.add_option("--learning-rate", learning_rate, "the greatest, after the warm-up")->check(CLI::PositiveNumber);
    app.add_option("--warmup", warmup, "steps")->check(CLI::PositiveNumber);
    app.add_option("--smoothing", smoothing, "of labels")->check(CLI::Range(0.0, 0.9));
    app.add_option("--decay", decay, "of the average of the parameters, per step")->check(CLI::Range(0.0, 1.0));
    app.add_option("--beams", beam.beams)->check(CLI::Range(1, 64));
    app.add_option("--penalty", beam.penalty, "of length, in the search")->check(CLI::Range(0.0, 10.0));
    app.add_option("--bleu-every", bleu_every, "epochs between BLEUs of the validation set")
        ->check(CLI::Range(1, 1000));
    app.add_option("--seed", seed);
    app.add_option("--out", out, "folder for checkpoints, logs and pictures; a run that is there goes on");
    app.add_option("--translate", sentence, "only translate this, with what the run in --out has learned")
        ->check([](const std::string& s) { return std::string(s.empty() ? "must not be empty" : ""); });
    app.add_flag("--profile", profile, "only tell where the time of a step goes");
  }
  // All that a run is begun with: options, but for those that change nothing that is learned, and `others`.
  static train::Settings settings(const CLI::App& app, const train::Settings& others) {
    return run_settings(app, {"--data", "--beams", "--penalty", "--bleu-every", "--out", "--translate", "--profile"},
                        others);
  }
  // In f32, translating is exact: parameters are.
  Transformer model(const BytePairEncoding& encoding, weft::DType of_products) const {
    if (sizes.features % sizes.heads != 0 || sizes.features % 2 != 0)
      throw weft::ValueError("translate: features must be an even number that the heads divide; got --features " +
                                 std::to_string(sizes.features) + " for --heads " + std::to_string(sizes.heads) + ".",
                             "take a multiple of " + std::to_string(2 * sizes.heads) + " for --features");
    translate::TransformerSizes of = sizes;
    of.vocabulary = encoding.size();
    of.dtype = of_products;
    return {.sizes = of};
  }
};

// All that a run is: what it has learned, what dropout follows from, which batches come next, and what tokens are.
struct Run {
  translate::Learned learned;
  Array key;
  train::DataPosition position;
  std::string merges;
};

void print_bleu(const char* of, const Bleu& b) {
  std::printf("BLEU of the %s set: %.2f (%.1f/%.1f/%.1f/%.1f, brevity penalty %.3f, %lld tokens for %lld)\n", of,
              b.score, b.precision[0], b.precision[1], b.precision[2], b.precision[3], b.brevity_penalty,
              static_cast<long long>(b.length), static_cast<long long>(b.reference_length));
}

// The part of a run that text is translated with.
struct PartOfRun {
  struct Learned {
    nn::Collection average;
  } learned;
  std::string merges;
};

// The mode --translate, which needs the run's folder and nothing else.
void translate_as_learned(const Flags& flags, const train::RunFolder& folder) {
  // Shapes of parameters depend on the vocabulary, so that is read first.
  PartOfRun part = folder.learned(PartOfRun(), {.allow_extra = true});
  const auto encoding = BytePairEncoding::of_merges(part.merges);
  const Transformer model = flags.model(encoding, weft::f32);
  part.learned.average = translate::first_params(model, weft::random::key(0));
  part = folder.learned(part, {.allow_extra = true});
  const Translator translated(encoding, model, flags.beam);
  std::printf("%s\n", translated(part.learned.average, {&flags.sentence, 1})[0].c_str());
}

// The pairs to train on.
ParallelText training_text(const Flags& flags, const std::string& data) {
  ParallelText text = translate::read_parallel_text(data, "train", "de", "en");
  const auto used = std::min(static_cast<std::size_t>(flags.pairs), text.source.size());
  text.source.resize(used);
  text.target.resize(used);
  return text;
}

void learn_to_translate(const Flags& flags, const std::string& data_folder, const CLI::App& app) {
  const ParallelText text = training_text(flags, data_folder);
  const ParallelText val = translate::read_parallel_text(data_folder, "val", "de", "en");
  const ParallelText test = translate::read_parallel_text(data_folder, "test_2016_flickr", "de", "en");
  std::vector<std::string> both = text.source;
  both.insert(both.end(), text.target.begin(), text.target.end());
  const BytePairEncoding encoding = BytePairEncoding::learn(both, flags.sizes.vocabulary);
  const BatchesByLength batches(encoding, text, flags.tokens, flags.seed),
      val_batches(encoding, val, flags.tokens, flags.seed);
  train::Pipeline data(batches, {.batch_size = 1, .seed = flags.seed, .num_epochs = flags.epochs, .prefetch = 2});
  std::printf("%lld of %zu pairs, of %lld tokens at most; a vocabulary of %d; %lld steps per epoch\n",
              static_cast<long long>(batches.num_pairs()), text.source.size(),
              static_cast<long long>(translate::kLongest), encoding.size(), static_cast<long long>(batches.size()));

  const Transformer model = flags.model(encoding, flags.dtype == "bf16" ? weft::bf16 : weft::f32),
                    exact = flags.model(encoding, weft::f32);
  const translate::TrainStep step{
      model, translate::optimizer(flags.learning_rate, flags.warmup, flags.epochs * batches.size()), flags.smoothing,
      flags.decay};
  const auto train_step = weft::jit(step, {.name = "train_step", .donate = {0}});
  const auto eval_step = weft::jit(translate::EvalStep{exact}, {.name = "eval_step"});
  const Translator translated(encoding, exact, flags.beam);

  const Array keys = weft::random::split(weft::random::key(flags.seed));
  Run run{translate::first_state(model, step.tx, keys(0)), keys(1), data.position(), encoding.merges()};
  if (flags.profile) {
    std::cout << weft::profile(step, run.learned, run.key, data.next()->examples);
    return;
  }
  const std::string all = weft::join(both, "\n");
  const std::string identity =
      std::to_string(text.source.size()) + " pairs, MD5 " + train::md5(std::as_bytes(std::span(all)));
  train::RunFolder folder(flags.out, Flags::settings(app, {{"text", identity}}));
  run = folder.restore(std::move(run));
  if (run.merges != encoding.merges())
    throw weft::ValueError("translate: the run in " + flags.out +
                               " must have tokens as they are learned now; got others, of an older program.",
                           "another --out begins a new run.");
  data.seek(run.position);
  encoding.save(folder.file("vocabulary.txt"));

  while (run.position.epoch < flags.epochs) {
    const std::int64_t epoch = run.position.epoch + 1;
    train::Progress progress("epoch " + std::to_string(epoch) + "/" + std::to_string(flags.epochs),
                             batches.num_tokens(), "tokens");
    double train_loss = 0, train_tokens = 0;
    while (run.position.epoch < epoch) {
      const auto batch = data.next().value();
      auto [next, now] = train_step(std::move(run.learned), run.key, batch.examples);
      run.learned = std::move(next);
      run.position = batch.next;
      const double loss = now.log_loss.item<double>(), tokens = now.tokens.item<double>();
      train_loss += loss;
      train_tokens += tokens;
      progress.advance(static_cast<std::int64_t>(tokens), {{"loss", loss / tokens}});
    }
    progress.finish();
    train_loss /= train_tokens;

    double val_loss = 0;
    for (std::int64_t i = 0; i < val_batches.size(); ++i)
      val_loss += eval_step(run.learned.average, val_batches.batch({&i, 1}, 1, 0)).log_loss.item<double>();
    val_loss /= static_cast<double>(val_batches.num_tokens());
    std::printf("epoch %lld: loss per token %.4f, of the validation set %.4f\n", static_cast<long long>(epoch),
                train_loss, val_loss);
    const auto at = run.learned.state.step.item<std::int64_t>();
    train::MetricWriter::Scalars scalars{{"train/loss", train_loss}, {"val/loss", val_loss}};
    if (epoch % flags.bleu_every == 0 || epoch == flags.epochs) {
      const Bleu b = translate::corpus_bleu(translated(run.learned.average, val.source), val.target);
      print_bleu("validation", b);
      scalars["val/bleu"] = b.score;
    }
    folder.write_scalars(at, scalars);
    constexpr std::size_t kShown = 3;
    const auto shown =
        translated(run.learned.average, std::span(val.source).first(std::min(kShown, val.source.size())));
    std::string samples;  // four spaces: TensorBoard takes it as it is
    for (std::size_t i = 0; i < shown.size(); ++i)
      samples += "\n    " + val.source[i] + "\n    = " + val.target[i] + "\n    > " + shown[i];
    folder.writer().write_texts(at, {{"val/translations", samples}});
    folder.save(run, at);
  }

  std::vector<train::Series> bleu = folder.series({"val/bleu"});
  bleu[0].markers = true;
  train::line_plot(folder.file("curve.png"),
                   {.title = "German to English",
                    .x_label = "step",
                    .panels = {{"loss per token in nats", folder.series({"train/loss", "val/loss"})}, {"BLEU", bleu}}});
  std::printf("wrote %s\n", folder.file("curve.png").c_str());
  print_bleu("test", translate::corpus_bleu(translated(run.learned.average, test.source), test.target));
}

int main(int argc, char** argv) {
  CLI::App app("Trains a transformer to translate German to English.");
  Flags flags(app);
  CLI11_PARSE(app, argc, argv);
  return guarded([&] {
    if (app.count("--translate") > 0) {
      const train::Settings others = take_settings(app, flags.out);
      translate_as_learned(flags, train::RunFolder(flags.out, Flags::settings(app, others)));
    } else {
      learn_to_translate(flags, flags.data.empty() ? train::data_folder("multi30k") : flags.data, app);
    }
  });
}
