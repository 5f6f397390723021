// Beam search: the most probable sentence, as far as it shows when `beams` beginnings are gone on with at a time. Knows
// no model: whatever gives probabilities of the next token can be searched.
//
// One program: the loop is part of it, and ends when all sentences have.
#pragma once

#include <limits>

#include "weft/weft.h"

namespace translate {

struct BeamSearch {
  std::int64_t beams = 4;
  std::int64_t longest = 64;  // sentences are cut there
  /// Sentences are compared by log p / ((5 + length) / 6)^penalty: else short ones would win (Wu et al., "Google's
  /// neural machine translation system", 2016).
  double penalty = 1;
  std::int32_t pad = 0, begin = 1, end = 2;
};

template <class Cache>
struct Beams {
  weft::Array tokens;    // i32[n, beams, longest]
  weft::Array last;      // i32[n, beams], the tokens before `position`
  weft::Array scores;    // f32[n, beams], log p
  weft::Array lengths;   // i32[n, beams]
  weft::Array finished;  // bool[n, beams]
  weft::Array position;  // i32[]
  Cache cache;
};

/// The best of `n` sentences each, i32[n, longest], with `end` and then `pad` behind it.
/// step(last[n * beams], position[], cache) gives log probabilities [n * beams, vocabulary] of the next token, and the
/// next cache, a tree of arrays whose first axis is that of `last` (and of 0-d ones, which are the same for all).
template <class Cache, class Step>
weft::Array beam_search(const BeamSearch& o, std::int64_t n, const Cache& cache, const Step& step) {
  namespace np = weft::np;
  using weft::Array;
  constexpr float kNever = -1e9f;
  const Array beam = np::arange(o.beams, weft::i32);
  const auto penalized = [&](const Array& scores, const Array& lengths) {
    return scores / np::power((lengths.astype(weft::f32) + 5) / 6, o.penalty);
  };
  // At first all beams are the same, and one of them counts.
  const Beams<Cache> start{np::full({n, o.beams, o.longest}, o.pad, weft::i32),
                           np::full({n, o.beams}, o.begin, weft::i32),
                           np::broadcast_to(np::where(beam == 0, 0.0f, kNever), {n, o.beams}),
                           np::zeros({n, o.beams}, weft::i32),
                           np::zeros({n, o.beams}, weft::boolean),
                           Array(0),
                           cache};

  const auto unfinished = [&](const Beams<Cache>& b) {
    return np::logical_and(b.position < o.longest, !np::all(b.finished));
  };
  const auto extend = [&](const Beams<Cache>& b) {
    auto [log_p, next_cache] = step(np::reshape(b.last, {-1}), b.position, b.cache);
    const std::int64_t vocabulary = log_p.shape(1);
    // What is finished stays as it is: nothing but `pad` can follow.
    const Array stays = np::where(np::arange(vocabulary, weft::i32) == o.pad, 0.0f, kNever);
    const Array p = np::where(np::expand_dims(b.finished, 2), stays, np::reshape(log_p, {n, o.beams, -1}));
    const Array scores = np::expand_dims(b.scores, 2) + p;
    const Array lengths = b.lengths + (!b.finished).astype(weft::i32);
    const Array ranked = penalized(scores, np::expand_dims(lengths, 2));

    const Array best = weft::lax::top_k(np::reshape(ranked, {n, -1}), o.beams).second;
    const Array parent = np::floor_divide(best, vocabulary), token = best % vocabulary;
    const auto of_parent = [&](const Array& x) { return np::take_along_axis(x, parent, 1); };
    const Array rows = np::reshape(np::expand_dims(np::arange(n, weft::i32), 1) * o.beams + parent, {-1});
    const Array before = np::take_along_axis(b.tokens, np::expand_dims(parent, 2), 1);
    return Beams<Cache>{
        before.at(weft::ellipsis, b.position).set(token),
        token,
        np::take_along_axis(np::reshape(scores, {n, -1}), best, 1),
        of_parent(lengths),
        np::logical_or(of_parent(b.finished), token == o.end),
        b.position + 1,
        weft::tree::map([&](const Array& x) { return x.ndim() == 0 ? x : np::take(x, rows, 0); }, next_cache)};
  };
  const Beams<Cache> last = weft::while_loop(unfinished, extend, start);
  const Array best = np::argmax(penalized(last.scores, np::maximum(last.lengths, 1)), 1);
  return np::squeeze(np::take_along_axis(last.tokens, np::expand_dims(best, {1, 2}), 1), 1);
}

}  // namespace translate
