// A pair of LSTMs, of which one reads and the other writes, and the step that they learn by.
#pragma once

#include <utility>

#include "nn/nn.h"
#include "optim/losses.h"
#include "optim/optim.h"
#include "sums.h"
#include "train/train_state.h"
#include "weft/weft.h"

namespace seq2seq {

namespace nn = weft::nn;
namespace np = weft::np;
namespace optim = weft::optim;
namespace train = weft::train;
using weft::Array;

inline constexpr int kCharacters = static_cast<int>(kAlphabet.size());

/// The state of an LSTM that has read each question, i32[batch, length], from its end to its beginning: so what was
/// read last is what the answer begins with.
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

/// One character of an answer. The character before it is the right one with teacher forcing, else what the decoder
/// itself thought likeliest, which it carries along.
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

/// Logits[batch, length, character] of answers to questions. Of `answers`, which begin with "=" and are shifted by one,
/// nothing but that first character is looked at without teacher forcing.
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

/// The answers without their ends, which the decoder reads, and without their beginnings, which it is to write.
inline std::pair<Array, Array> shifted(const Array& answers) {
  return {answers(weft::slice(), weft::slice(0, -1)), answers(weft::slice(), weft::slice(1, {}))};
}

using Optimizer = optim::Chain<optim::OnTrees<optim::ClipByGlobalNorm>, optim::Descent<optim::ScaleByAdam>>;
inline Optimizer optimizer(double learning_rate, std::int64_t steps) {
  return optim::chain(optim::clip_by_global_norm(1.0), optim::adam(optim::cosine_decay_schedule(learning_rate, steps)));
}
using State = train::TrainStateOf<nn::Collection, Optimizer>;

/// For sums of the lengths of `some`.
inline State first_state(const Seq2Seq& model, const Optimizer& tx, const Sums& some, const Array& key) {
  const auto init = weft::jit([&](const Array& key) {
    return model.init(key, some.questions.astype(weft::i32), shifted(some.answers.astype(weft::i32)).first, true);
  });
  return train::create_train_state(init(key).at("params"), tx);
}

/// The state after a step, and the loss before it.
struct TrainStep {
  Seq2Seq model;
  Optimizer tx;

  std::pair<State, Array> operator()(const State& state, const Sums& batch) const {
    // Mean cross entropy of the answers' characters, the end included, the padding not.
    const auto loss = [&](const nn::Collection& params) {
      const auto [before, targets] = shifted(batch.answers.astype(weft::i32));
      const Array logits = model.apply({{"params", params}}, batch.questions.astype(weft::i32), before, true);
      return np::mean(optim::softmax_cross_entropy_with_integer_labels(logits, targets), {},
                      {.where = targets != kPadding});
    };
    const auto [value, grads] = weft::value_and_grad(loss)(state.params);
    return {state.apply_gradients(tx, grads), value};
  }
};

struct Written {
  Array answers;  // u8[n, length]
  Array right;    // bool[n]: whether all characters up to the end are
};

/// What the model answers when it reads what it wrote itself, always the likeliest character.
struct EvalStep {
  Seq2Seq model;

  Written operator()(const nn::Collection& params, const Sums& sums) const {
    const auto [begin, targets] = shifted(sums.answers.astype(weft::i32));
    const Array logits = model.apply({{"params", params}}, sums.questions.astype(weft::i32), begin, false);
    const Array answers = np::argmax(logits, -1);
    return {answers.astype(weft::u8), np::all(np::logical_or(answers == targets, targets == kPadding), -1)};
  }
};

}  // namespace seq2seq
