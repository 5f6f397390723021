// The training steps of the examples that learn from text, on random characters: the very steps that they train with.
#ifdef WEFT_BENCH_EXAMPLES
#include "char_lm/step.h"
#include "models.h"
#include "seq2seq/model.h"
#include "translate/step.h"

namespace workloads {

namespace {

namespace optim = weft::optim;
namespace rnd = weft::random;

Runnable seq2seq_step() {
  constexpr std::int64_t kBatch = 256;
  const seq2seq::Seq2Seq model{.hidden = 512};
  const auto tx = seq2seq::optimizer(4e-3, 10000);
  const seq2seq::Sums some = seq2seq::all_sums(3, kBatch, 0).first;
  const weft::Index batch = weft::slice(kBatch);
  const seq2seq::Sums sums{some.questions(batch), some.answers(batch)};
  return stepping_in_place(seq2seq::TrainStep{model, tx}, seq2seq::first_state(model, tx, sums, rnd::key(0)), sums);
}

Runnable char_lm_step(weft::DType dtype) {
  constexpr std::int64_t kContext = 256;
  const char_lm::Transformer model{.sizes = {.characters = 65, .dtype = dtype}};
  const auto tx = char_lm::optimizer(
      optim::warmup_cosine_decay_schedule({.peak_value = 0.01, .warmup_steps = 100, .decay_steps = 1500}), 0.1, dtype);
  return stepping_in_place(char_lm::TrainStep{model, tx}, char_lm::first_state(model, tx, kContext, rnd::key(0)),
                           labels(0, {16, kContext + 1}, 65).astype(weft::u8), rnd::key(1));
}

// A batch of 2048 tokens, as of all sentences of about their length.
Runnable translate_step(weft::DType dtype) {
  constexpr std::int64_t kLength = 20, kSentences = 2048 / kLength;
  const translate::Transformer model{.sizes = {.dtype = dtype}};
  const auto tx = translate::optimizer(2e-3, 600, 12000);
  const auto words = [&](int seed, std::int64_t length) {
    return rnd::randint(rnd::key(seed), {kSentences, length}, translate::BytePairEncoding::kBytes,
                        model.sizes.vocabulary);
  };
  return stepping_in_place(translate::TrainStep{model, tx, 0.1, 0.998}, translate::first_state(model, tx, rnd::key(0)),
                           rnd::key(1), translate::Sentences{words(2, kLength), words(3, kLength + 1)});
}

}  // namespace

void add_examples_of_text(Cases& cases) {
  const auto add = [&](std::string workload, std::string params, std::function<Runnable()> make) {
    cases.push_back(weft_case(std::move(workload), std::move(params), {}, std::move(make)));
  };
  add("example_seq2seq", "h512 b256 adam", seq2seq_step);
  for (const auto& [name, dtype] : {std::pair("f32", weft::f32), std::pair("bf16", weft::bf16)}) {
    const weft::DType t = dtype;
    add("example_char_lm", std::string("6L d256 h4 s256 b16 muon ") + name, [t] { return char_lm_step(t); });
    add("example_translate", std::string("enc3 dec3 d256 102x20 adam ") + name, [t] { return translate_step(t); });
  }
}

}  // namespace workloads
#endif
