// Trains a transformer to translate German to English, on the captions of Multi30k, and tells its BLEU. It goes on from
// its last checkpoint, and logs for TensorBoard.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "bleu.h"
#include "corpus.h"
#include "optim/losses.h"
#include "optim/optim.h"
#include "train/checkpoint.h"
#include "train/data.h"
#include "train/file.h"
#include "train/metric_writer.h"
#include "train/plot.h"
#include "train/progress.h"
#include "train/train_state.h"
#include "transformer.h"
#include "translator.h"

using weft::Array;
namespace nn = weft::nn;
namespace np = weft::np;
namespace optim = weft::optim;
namespace train = weft::train;

// Sums over the target tokens of a batch, padding left out.
struct Sums {
  Array loss;      // cross entropy to the smoothed labels
  Array log_loss;  // -log p of the token
  Array tokens;    // how many
};

// Token t + 1 is told from tokens 0 to t. With a key, there is dropout.
Sums sums(const Transformer& model, const nn::Collection& params, const Sentences& batch, double smoothing,
          const std::optional<Array>& key = {}) {
  const nn::Rngs rngs = key ? nn::Rngs{{"dropout", *key}} : nn::Rngs();
  const Array inputs = batch.target(weft::ellipsis, weft::slice(0, -1));
  const Array labels = batch.target(weft::ellipsis, weft::slice(1, std::nullopt));
  const Array logits =
      model.apply({{"params", params}}, nn::ApplyOptions{.rngs = rngs}, batch.source, inputs, key.has_value());
  const Array log_loss = optim::softmax_cross_entropy_with_integer_labels(logits, labels);
  // The cross entropy to labels of which a part is spread over the whole vocabulary.
  const Array spread = nn::logsumexp(logits, -1) - np::mean(logits, -1);
  const Array counts = (labels != BytePairEncoding::kPad).astype(weft::f32);
  return {np::sum(((1 - smoothing) * log_loss + smoothing * spread) * counts), np::sum(log_loss * counts),
          np::sum(counts)};
}

using Adam = optim::Descent<optim::ScaleByAdam>;
using State = train::TrainState<nn::Collection, optim::StateOf<Adam, nn::Collection>>;

struct Learned {
  State state;
  nn::Collection average;  // of the parameters lately, which translates better than they do (Polyak and Juditsky, 1992)
};

// All that a run is: what it has learned, what dropout follows from, which batches come next, and what it has told.
struct Run {
  Learned learned;
  Array key;
  train::DataPosition position;
  Array history;  // f32[epochs, 3]: losses per token in training and validation, BLEU; NaN where there is none
};

BytePairEncoding encoding_for(const std::string& path, const ParallelText& text, int vocabulary) {
  if (train::file_exists(path)) return BytePairEncoding::load(path);
  std::vector<std::string> both = text.source;
  both.insert(both.end(), text.target.begin(), text.target.end());
  const BytePairEncoding encoding = BytePairEncoding::learn(both, vocabulary);
  encoding.save(path);
  return encoding;
}

std::string default_folder() {
  const char* data = std::getenv("WEFT_DATA_DIR");  // NOLINT(concurrency-mt-unsafe): nothing changes it
  return data != nullptr ? std::string(data) + "/multi30k" : std::string();
}

void print_bleu(const char* of, const Bleu& b) {
  std::printf("BLEU of the %s set: %.2f (%.1f/%.1f/%.1f/%.1f, brevity penalty %.3f, %lld tokens for %lld)\n", of,
              b.score, b.precision[0], b.precision[1], b.precision[2], b.precision[3], b.brevity_penalty,
              static_cast<long long>(b.length), static_cast<long long>(b.reference_length));
}

int main(int argc, char** argv) {
  std::int64_t epochs = 40, tokens = 2048, pairs = 1000000, warmup = 600, bleu_every = 5, seed = 0;
  double learning_rate = 2e-3, smoothing = 0.1, decay = 0.998;
  bool bf16 = false, profile = false;
  std::string folder = default_folder(), out = "translate_run", sentence;
  TransformerSizes sizes;
  BeamSearch beam;
  CLI::App app("Trains a transformer to translate German to English.");
  app.option_defaults()->always_capture_default();
  app.add_option("--data", folder, "where train, val and test_2016_flickr are, each .de.gz and .en.gz");
  app.add_option("--epochs", epochs, "passes over the training pairs")->check(CLI::Range(1, 1000));
  app.add_option("--tokens", tokens, "per step, of each language, with padding")->check(CLI::Range(48, 1 << 20));
  app.add_option("--pairs", pairs, "train on so many of them at most")->check(CLI::PositiveNumber);
  app.add_option("--vocabulary", sizes.vocabulary, "tokens of both languages")->check(CLI::Range(300, 100000));
  app.add_option("--layers", sizes.layers, "of the encoder, and of the decoder")->check(CLI::Range(1, 24));
  app.add_option("--features", sizes.features)->check(CLI::Range(2, 4096));
  app.add_option("--heads", sizes.heads)->check(CLI::Range(1, 64));
  app.add_option("--hidden", sizes.hidden, "features inside of feed-forward networks")->check(CLI::Range(1, 16384));
  app.add_option("--dropout", sizes.dropout)->check(CLI::Range(0.0, 0.9));
  app.add_option("--learning-rate", learning_rate, "the greatest, after the warm-up")->check(CLI::PositiveNumber);
  app.add_option("--warmup", warmup, "steps")->check(CLI::PositiveNumber);
  app.add_option("--smoothing", smoothing, "of labels")->check(CLI::Range(0.0, 0.9));
  app.add_option("--decay", decay, "of the average of the parameters, per step")->check(CLI::Range(0.0, 1.0));
  app.add_option("--beams", beam.beams)->check(CLI::Range(1, 64));
  app.add_option("--penalty", beam.penalty, "of length, in the search")->check(CLI::Range(0.0, 10.0));
  app.add_option("--bleu-every", bleu_every, "epochs between BLEUs of the validation set")->check(CLI::Range(1, 1000));
  app.add_option("--seed", seed);
  app.add_option("--out", out, "folder for vocabulary, checkpoints, logs and pictures; a run that is there goes on");
  app.add_option("--translate", sentence, "translate this by what was learned, and end");
  app.add_flag("--bf16", bf16, "products in bfloat16");
  app.add_flag("--profile", profile, "tell where the time of a step goes, and end");
  CLI11_PARSE(app, argc, argv);
  if (bf16) sizes.dtype = weft::bf16;

  try {
    if (folder.empty())
      throw weft::ValueError("translate: the folder of the sentences must be given; got none.",
                             "--data <folder>, or WEFT_DATA_DIR, whose folder multi30k is taken");
    ParallelText text = read_parallel_text(folder, "train", "de", "en");
    const auto used = std::min(static_cast<std::size_t>(pairs), text.source.size());
    text.source.resize(used);
    text.target.resize(used);
    const ParallelText val = read_parallel_text(folder, "val", "de", "en");
    const ParallelText test = read_parallel_text(folder, "test_2016_flickr", "de", "en");
    train::make_folders(out);
    const BytePairEncoding encoding = encoding_for(out + "/vocabulary.txt", text, sizes.vocabulary);
    sizes.vocabulary = encoding.size();
    const BatchesByLength batches(encoding, text, tokens, seed), val_batches(encoding, val, tokens, seed);
    train::Pipeline data(batches, {.batch_size = 1, .seed = seed, .num_epochs = epochs, .prefetch = 2});
    std::printf("%lld pairs, %d tokens, %lld steps per epoch\n", static_cast<long long>(batches.num_pairs()),
                encoding.size(), static_cast<long long>(batches.size()));

    const Transformer model{.sizes = sizes};
    sizes.dtype = weft::f32;
    const Transformer exact{.sizes = sizes};  // has the same parameters
    const Adam tx =
        optim::adam(optim::warmup_cosine_decay_schedule({.peak_value = learning_rate,
                                                         .warmup_steps = warmup,
                                                         .decay_steps = std::max(warmup + 1, epochs * batches.size())}),
                    {.b2 = 0.98, .eps = 1e-9});
    const auto step = [=](const Learned& learned, const Array& key, const Sentences& batch) {
      const State& state = learned.state;
      const auto loss = [&](const nn::Collection& params) {
        const Sums s = sums(model, params, batch, smoothing, weft::random::fold_in(key, state.step));
        return std::pair(s.loss / s.tokens, s);
      };
      const auto [value, grads] = weft::value_and_grad(loss, weft::has_aux)(state.params);
      State next = state.apply_gradients(tx, grads);
      // Of about the last tenth of the steps at first, then of 1 / (1 - decay).
      const Array newest = np::maximum(1 - decay, 10.0f / (next.step + 9));
      nn::Collection average = optim::incremental_update(next.params, learned.average, newest);
      return std::pair(Learned{std::move(next), std::move(average)}, value.second);
    };
    const auto train_step = weft::jit(step, {.name = "train_step", .donate = {0}});
    const auto eval_step =
        weft::jit([=](const nn::Collection& params, const Sentences& batch) { return sums(exact, params, batch, 0); },
                  {.name = "eval_step"});
    const auto search_step = weft::jit(
        [=](const nn::Collection& params, const Array& source) { return search(exact, params, source, beam); },
        {.name = "search"});

    const auto init = weft::jit([=](const Array& key) {
      const Array token = np::ones({1, 1}, weft::i32);
      return model.init(key, token, token, false).at("params");
    });
    const Array key = weft::random::key(seed);
    const nn::Collection params = init(key);
    const nn::Collection average = weft::tree::map([](const Array& p) { return np::copy(p); }, params);
    Run run{{train::create_train_state(params, tx), average},
            weft::random::fold_in(key, 1),
            data.position(),
            np::full({epochs, 3}, NAN, weft::f32)};
    train::CheckpointReport report;
    run = train::restore_checkpoint(out, run, {}, &report);
    data.seek(run.position);
    if (!report.path.empty()) std::printf("goes on from %s\n", report.path.c_str());

    if (profile) {
      std::cout << weft::profile(step, run.learned, run.key, data.next()->examples);
      return 0;
    }
    const auto translated = [&](std::span<const std::string> texts) {
      return translate(encoding, texts, [&](const Array& source) { return search_step(run.learned.average, source); });
    };
    if (!sentence.empty()) {
      std::printf("%s\n", translated({&sentence, 1})[0].c_str());
      return 0;
    }

    const auto writer = train::create_default_writer(out);
    while (run.position.epoch < epochs) {
      const std::int64_t epoch = run.position.epoch + 1;
      train::Progress progress("epoch " + std::to_string(epoch) + "/" + std::to_string(epochs), batches.num_tokens(),
                               "tokens");
      double train_loss = 0, train_tokens = 0;
      while (auto batch = data.next()) {
        auto [next, now] = train_step(std::move(run.learned), run.key, batch->examples);
        run = {std::move(next), run.key, batch->next, run.history};
        const double tokens = now.tokens.item<double>();
        train_loss += now.log_loss.item<double>();
        train_tokens += tokens;
        progress.advance(static_cast<std::int64_t>(tokens), {{"loss", now.log_loss.item<double>() / tokens}});
        if (run.position.epoch >= epoch) break;
      }
      progress.finish();
      train_loss /= train_tokens;

      double val_loss = 0;
      for (std::int64_t i = 0; i < val_batches.size(); ++i)
        val_loss += eval_step(run.learned.average, val_batches.batch({&i, 1}, 1, 0)).log_loss.item<double>();
      val_loss /= static_cast<double>(val_batches.num_tokens());
      const auto at = run.learned.state.step.item<std::int64_t>();
      train::MetricWriter::Scalars scalars{{"train/loss", train_loss}, {"val/loss", val_loss}};
      double bleu = NAN;
      if (epoch % bleu_every == 0 || epoch == epochs) {
        const Bleu b = corpus_bleu(translated(val.source), val.target);
        print_bleu("validation", b);
        scalars["val/bleu"] = bleu = b.score;
      }
      writer->write_scalars(at, scalars);
      constexpr std::size_t kShown = 3;
      const std::vector<std::string> shown = translated(std::span(val.source).first(kShown));
      std::string samples;  // four spaces: TensorBoard takes it as it is
      for (std::size_t i = 0; i < kShown; ++i)
        samples += "\n    " + val.source[i] + "\n    = " + val.target[i] + "\n    > " + shown[i];
      writer->write_texts(at, {{"val/translations", samples}});
      run.history = run.history.at(epoch - 1).set(np::array({train_loss, val_loss, bleu}));
      train::save_checkpoint(out, run, at, {.overwrite = true});
    }
    writer->close();

    print_bleu("test", corpus_bleu(translated(test.source), test.target));
    train::Series training{"training"}, validation{"validation"}, bleus{"validation set"};
    bleus.markers = true;
    for (std::int64_t e = 0; e < epochs; ++e)
      for (int k = 0; k < 3; ++k) {
        train::Series& s = k == 0 ? training : k == 1 ? validation : bleus;
        const double y = run.history(e, k).item<double>();
        if (!std::isnan(y)) s.x.push_back(static_cast<double>(e + 1)), s.y.push_back(y);
      }
    train::line_plot(out + "/curve.png",
                     {.title = "German to English",
                      .x_label = "epoch",
                      .panels = {{"loss per token in nats", {training, validation}}, {"BLEU", {bleus}}}});
    std::printf("wrote %s/curve.png\n", out.c_str());
    return 0;
  } catch (const weft::Error& e) {
    std::fprintf(stderr, "%s: %s\n", std::string(e.kind()).c_str(), e.what());
    return 1;
  }
}
