// Trains one network with many seeds and learning rates at once: vmap makes of one member's step the step of all, which
// is traced, compiled and run as one program.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "nn/nn.h"
#include "optim/losses.h"
#include "optim/optim.h"
#include "testing/traces.h"
#include "train/checkpoint.h"
#include "train/csv_reader.h"
#include "train/csv_writer.h"
#include "train/data.h"
#include "train/metric_writer.h"
#include "train/mnist.h"
#include "train/plot.h"
#include "train/progress.h"
#include "train/train_state.h"
#include "weft/base/text.h"
#include "weft/weft.h"

using weft::Array;
namespace nn = weft::nn;
namespace np = weft::np;
namespace optim = weft::optim;
namespace train = weft::train;

using State = train::TrainState<nn::Collection, optim::StateOf<optim::Sgd, nn::Collection>>;

// ---- one member ----

// Logits[n, 10] of images[n, 28, 28, 1].
struct Mlp : nn::Module<Mlp> {
  Array call(Array x) const {
    x = np::reshape(x, {x.shape(0), -1});
    x = nn::relu(nn::Dense{.features = 128}(x));
    return nn::Dense{.features = 10}(x);
  }
};

Array logits_of(const nn::Collection& params, const Array& images) {
  return Mlp().apply({{"params", params}}, images.astype(weft::f32) / 255);
}

optim::Sgd descent(const Array& learning_rate) { return optim::sgd(learning_rate, {.momentum = 0.9}); }

State first_state(const Array& key, const Array& learning_rate) {
  const nn::Variables variables = Mlp().init(key, np::zeros({1, 28, 28, 1}));
  return train::create_train_state(variables.at("params"), descent(learning_rate));
}

// The state after a step, and the loss before it.
std::pair<State, Array> next_state(const State& state, const Array& learning_rate, const train::Digits& batch) {
  const auto loss = [&](const nn::Collection& params) {
    const Array logits = logits_of(params, batch.images);
    return np::mean(optim::softmax_cross_entropy_with_integer_labels(logits, batch.labels));
  };
  const auto [value, grads] = weft::value_and_grad(loss)(state.params);
  return {state.apply_gradients(descent(learning_rate), grads), value};
}

// ---- all members ----

// All that a sweep is. Members are in the order of their rates, those of a rate in the order of their seeds.
struct Run {
  State states;  // arrays [members, ...]
  Array losses;  // f32[members]: sums since the last point of the curves
  train::DataPosition position;
};

// How many digits are read right: by each member, and by the mean of the probabilities of those with the same rate.
struct Hits {
  Array members, together;  // i32[rates, seeds], i32[rates]
};

// From blue for the smallest rate over green to red for the largest.
train::Color color_of(std::size_t rate, std::size_t rates) {
  constexpr double kStops[3][3] = {{40, 80, 210}, {50, 165, 90}, {215, 60, 30}};
  const double x = rates == 1 ? 0 : 2 * static_cast<double>(rate) / static_cast<double>(rates - 1);
  const int below = x < 1 ? 0 : 1;
  const auto part = [&](int i) {
    const double from = kStops[below][i], to = kStops[below + 1][i];
    return static_cast<std::uint8_t>(std::lround(from + (x - below) * (to - from)));
  };
  return {part(0), part(1), part(2)};
}

int main(int argc, char** argv) {
  std::vector<double> rates = {0.001, 0.003, 0.01, 0.03, 0.1, 0.3};
  int seeds = 4, epochs = 5, batch_size = 128, seed = 0;
  std::int64_t digits = 60000, save_every = 0;
  std::string out = "sweep_run";
  CLI::App app("Trains perceptrons on the MNIST digits, one for each learning rate and seed, all of them at once.");
  app.add_option("--rates", rates, "learning rates, with commas between them")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--seeds", seeds, "members for each rate")->capture_default_str()->check(CLI::Range(1, 1000));
  app.add_option("--epochs", epochs, "passes over the training digits")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option("--batch", batch_size, "digits per step")->capture_default_str()->check(CLI::Range(1, 10000));
  app.add_option("--digits", digits, "train on so many of them at most")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--seed", seed, "that all seeds and the order of digits come from")->capture_default_str();
  app.add_option("--save-every", save_every, "steps between checkpoints; 0: at the end of each epoch only")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_option("--out", out, "folder for checkpoints, logs and pictures; a run that is there goes on")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  try {
    const train::Mnist mnist = train::load_mnist();
    for (const std::string& note : mnist.notes) std::printf("note: %s\n", note.c_str());
    std::printf("digits: %s\n", mnist.source.c_str());
    const weft::Index used = weft::slice(std::min(digits, mnist.num_train()));
    const train::Digits all = mnist.train_digits(), test = mnist.test_digits();
    train::Pipeline data(train::Digits{all.images(used), all.labels(used)},
                         {.batch_size = batch_size, .seed = seed, .num_epochs = epochs, .prefetch = 2});
    if (data.batches_per_epoch() == 0) throw weft::ValueError("seed_sweep: the training digits must fill a batch.");

    std::sort(rates.begin(), rates.end());
    const std::size_t members = rates.size() * static_cast<std::size_t>(seeds);
    const Array keys = np::tile(weft::random::split(weft::random::key(seed), seeds), {rates.size(), 1});
    const Array rate_of = np::repeat(Array(rates).astype(weft::f32), {seeds});
    std::vector<std::string> rate_names, names;
    for (const double rate : rates) {
      rate_names.push_back("rate " + weft::number_str(rate));
      for (int i = 0; i < seeds; ++i) names.push_back(rate_names.back() + " seed " + std::to_string(i));
    }

    // A second trace would be an AssertionError.
    const auto step_all = [](const State& states, const Array& rates, const train::Digits& batch) {
      return weft::vmap(next_state, {0, 0, weft::unmapped})(states, rates, batch);
    };
    const auto train_step =
        weft::jit(weft::testing::assert_max_traces(step_all, 1), {.name = "train_step", .donate = {0}});
    const auto eval_step = weft::jit(
        [&](const nn::Collection& params, const train::Digits& batch) {
          const Array each = weft::vmap(logits_of, {0, weft::unmapped})(params, batch.images);
          const Array logits = np::reshape(each, {rates.size(), seeds, -1, 10});
          const auto hits = [&](const Array& x) { return np::count_nonzero(np::argmax(x, -1) == batch.labels, -1); };
          return Hits{hits(logits), hits(np::mean(nn::softmax(logits), 1))};
        },
        {.name = "eval_step"});
    // In percent of the test digits.
    const auto evaluate = [&](const nn::Collection& params) {
      Hits sum{np::zeros({rates.size(), seeds}), np::zeros({rates.size()})};
      for (std::int64_t i = 0; i < mnist.num_test(); i += 1000) {
        const weft::Index part = weft::slice(i, std::min(i + 1000, mnist.num_test()));
        sum = weft::tree::map([](const Array& a, const Array& b) { return a + b; }, sum,
                              eval_step(params, train::Digits{test.images(part), test.labels(part)}));
      }
      return weft::tree::map([&](const Array& a) { return a * (100.0 / static_cast<double>(mnist.num_test())); }, sum);
    };

    Run run{weft::jit(weft::vmap(first_state))(keys, rate_of), np::zeros({members}), data.position()};
    train::CheckpointReport report;
    run = train::restore_checkpoint(out, run, {}, &report);
    data.seek(run.position);
    if (!report.path.empty()) std::printf("goes on from %s\n", report.path.c_str());

    const auto writer = train::create_default_writer(out);
    // The curves' points, which must be in the file before a checkpoint that comes after them.
    train::CsvWriter points(out + "/curve.csv");
    std::int64_t step = run.position.epoch * data.batches_per_epoch() + run.position.batch;
    const auto write_points = [&](const std::string& what, const Array& values) {
      const std::vector<float> v = np::ravel(values).to_vector<float>();
      train::MetricWriter::Scalars scalars;
      for (std::size_t i = 0; i < members; ++i) scalars[what + names[i]] = v[i];
      points.write_scalars(step, scalars);
    };
    const auto save = [&] {
      points.flush();
      train::save_checkpoint(out, run, step);
    };

    constexpr std::int64_t kPointSteps = 25;
    while (run.position.epoch < epochs) {
      const std::int64_t epoch = run.position.epoch;
      train::Progress progress("epoch " + std::to_string(epoch + 1) + "/" + std::to_string(epochs),
                               data.batches_per_epoch() - run.position.batch, "steps of all");
      while (run.position.epoch == epoch) {
        auto batch = data.next().value();
        auto [states, losses] = train_step(std::move(run.states), rate_of, batch.examples);
        run = {std::move(states), run.losses + losses, batch.next};
        progress.advance(1, {{"best loss", np::nanmin(losses).item<double>()}});
        if (++step % kPointSteps == 0) {
          write_points("loss ", run.losses / kPointSteps);
          run.losses = np::zeros({members});
        }
        // The end of an epoch is saved below, after its test.
        if (save_every > 0 && step % save_every == 0 && run.position.epoch == epoch) save();
      }
      progress.finish();

      const Hits tested = evaluate(run.states.params);
      write_points("accuracy ", tested.members);
      train::MetricWriter::Scalars means;
      for (std::size_t i = 0; i < rates.size(); ++i)
        means["test/accuracy/" + rate_names[i]] = np::mean(tested.members(i)).item<double>();
      writer->write_scalars(step, means);
      save();
    }
    writer->close();
    points.close();

    const Hits tested = evaluate(run.states.params);
    const auto mean = np::mean(tested.members, 1).to_vector<float>();
    const auto deviation = np::std(tested.members, 1).to_vector<float>();
    const auto best = np::max(tested.members, 1).to_vector<float>(), together = tested.together.to_vector<float>();
    std::vector<std::size_t> order(rates.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return mean[a] > mean[b]; });
    std::printf("\n   rate   test accuracy in %%    best   all %d together\n", seeds);
    for (const std::size_t i : order)
      std::printf("%7g     %6.2f +- %5.2f     %6.2f        %6.2f\n", rates[i], mean[i], deviation[i], best[i],
                  together[i]);
    std::printf("\nbest rate %g: %.2f %%, of %zu members that train_step was traced for %lld time(s)\n",
                rates[order[0]], mean[order[0]], members, static_cast<long long>(train_step.stats().traces));

    // Members that learn nothing would leave no room for the others.
    const auto curves = [&](const std::string& what, double low, double high) {
      std::vector<std::string> columns;
      for (const std::string& name : names) columns.push_back(what + name);
      std::vector<train::Series> series = train::read_series(out + "/curve.csv", columns);
      for (std::size_t i = 0; i < members; ++i) {
        const std::size_t rate = i * rates.size() / members;
        series[i].color = color_of(rate, rates.size());
        series[i].name = i * rates.size() % members == 0 ? rate_names[rate] : "";
        for (double& y : series[i].y)
          if (y < low || y > high) y = NAN;
      }
      return series;
    };
    train::line_plot(out + "/curves.png", {.title = "members by learning rate",
                                           .x_label = "step",
                                           .panels = {{"training loss", curves("loss ", 0, 1)},
                                                      {"test accuracy in %", curves("accuracy ", 85, 100), {}, 100}}});
    std::printf("wrote %s/curves.png\n", out.c_str());
    return 0;
  } catch (const weft::Error& e) {
    std::fprintf(stderr, "%s: %s\n", std::string(e.kind()).c_str(), e.what());
    return 1;
  }
}
