// Recurrent layers: a cell run over time.
#pragma once

#include "nn/lift.h"
#include "weft/np/np.h"

namespace weft::nn {

namespace detail {

/// x[time, ...] backwards. With lengths, i32 of x's batch axes, which come next, each sequence for itself: what lies
/// beyond its length stays beyond it.
Array backwards(const Array& x, const Array& lengths);
/// `now` where step `t` is before the length, else `old`: `lengths` has the leading axes of the arrays.
Array before_end(const Array& t, const Array& lengths, const Array& now, const Array& old);
void check_lengths(const Array& lengths, DimSpan batch);

}  // namespace detail

/// How one run of a recurrent layer goes.
template <class Carry>
struct Sequences {
  /// The carry at the beginning: the cell's own, if none.
  std::optional<Carry> initial_carry = {};
  /// The length of each sequence, integers of the batch axes. The last carry is that of each sequence's own end.
  Array seq_lengths = {};
  /// From the end to the beginning, and whether the results are in the order of the input all the same: as the layer's
  /// own members say, if nothing is said here.
  std::optional<bool> reverse = {}, keep_order = {};
  /// The key of a carry that begins at random: key(0), if none.
  Array init_key = {};
  /// x[time, batch..., features...]: as the layer's own member says, if nothing is said here.
  std::optional<bool> time_major = {};
};

/// A cell (carry, x) -> (carry, y) run over time: x[batch..., time, features...] gives y[batch..., time, out...]. The
/// cell's parameters are those of all steps, under the name "cell". A cell has initialize_carry(key, shape of a step's
/// input) and num_feature_axes(), as those of recurrent.h.
template <class Cell>
struct RNN : Module<RNN<Cell>> {
  static_assert(detail::IsModule<Cell>, "nn::RNN runs a cell that is a module");
  Cell cell;
  bool time_major = false;  // x[time, batch..., features...]
  bool reverse = false, keep_order = false;
  std::int64_t unroll = 1;
  /// What steps share, hand on, and have of their own, beside the parameters; and whose keys differ from step to step.
  Filter variable_broadcast = "params";
  Filter variable_carry = false;
  std::map<std::string, int> variable_axes = {};
  std::map<std::string, bool> split_rngs = {{"params", false}};
  std::string name = {};

  using Carry = std::decay_t<decltype(std::declval<const Cell&>().initialize_carry(Array(), Dims()))>;

  Array call(const Array& x, const Sequences<Carry>& how = {}) const { return with_carry(x, how).second; }
  /// The last carry, and the results. ShapeError unless x has a time axis, and the lengths are one for each sequence.
  std::pair<Carry, Array> with_carry(const Array& x, const Sequences<Carry>& how = {}) const {
    const bool backwards = how.reverse.value_or(reverse), in_order = how.keep_order.value_or(keep_order);
    const int features = cell.num_feature_axes();
    const int time = how.time_major.value_or(time_major) ? 0 : x.ndim() - features - 1;
    if (x.ndim() <= features)
      throw ShapeError("RNN: the input must have a time axis and " + std::to_string(features) +
                       " axes of features; got " + x.aval().str() + ".");
    Array steps = np::moveaxis(x, time, 0);
    const Dims slice(steps.shape().subspan(1));
    const Dims batch(DimSpan(slice).first(slice.size() - static_cast<std::size_t>(features)));
    const bool lengths = how.seq_lengths.defined();
    if (lengths) detail::check_lengths(how.seq_lengths, batch);
    if (backwards) steps = detail::backwards(steps, how.seq_lengths);

    const Array key = how.init_key.defined() ? how.init_key : random::key(0);
    const Carry initial = how.initial_carry ? *how.initial_carry : cell.initialize_carry(key, slice);
    const auto step = [&](const Cell& c, const Carry& carry, const Array& input, const Array& t) {
      auto [next, y] = c.call(carry, input);
      if (lengths)
        next = tree::map(
            [&](const Array& now, const Array& old) { return detail::before_end(t, how.seq_lengths, now, old); }, next,
            carry);
      return std::pair<Carry, Array>(std::move(next), std::move(y));
    };
    const ScanOptions options{.variable_axes = variable_axes,
                              .variable_broadcast = variable_broadcast,
                              .variable_carry = variable_carry,
                              .split_rngs = split_rngs,
                              .unroll = unroll};
    auto [carry, y] =
        detail::scan_at(detail::here("RNN", cell), cell, options, step, initial, steps, np::arange(steps.shape()[0]));
    if (backwards && in_order) y = detail::backwards(y, how.seq_lengths);
    return {std::move(carry), np::moveaxis(y, 0, time)};
  }
};

/// Two recurrent layers, one of them from the end to the beginning; y is both results, one behind the other along the
/// last axis, or what merge_fn makes of them.
template <class Forward, class Backward>
struct Bidirectional : Module<Bidirectional<Forward, Backward>> {
  Forward forward_rnn;
  Backward backward_rnn;
  std::function<Array(const Array& forward, const Array& backward)> merge_fn = [](const Array& a, const Array& b) {
    return np::concatenate(std::vector{a, b}, -1);
  };
  bool time_major = false;  // x[time, batch..., features...], whatever the layers' own members say
  std::string name = {};

  using Carry = std::pair<typename Forward::Carry, typename Backward::Carry>;

  Array call(const Array& x, const Array& seq_lengths = {}) const {
    return with_carry(x, {.seq_lengths = seq_lengths}).second;
  }
  Array call(const Array& x, const Sequences<Carry>& how) const { return with_carry(x, how).second; }
  /// The last carries of both, and the results. ValueError for `reverse` and `keep_order`, which are theirs.
  std::pair<Carry, Array> with_carry(const Array& x, const Sequences<Carry>& how = {}) const {
    if (how.reverse || how.keep_order)
      throw ValueError("Bidirectional: it goes in both directions, and keeps the order; got reverse or keep_order.");
    const bool time_first = how.time_major.value_or(time_major);
    const Array keys = how.init_key.defined() ? random::split(how.init_key) : Array();
    Sequences<typename Forward::Carry> ahead{
        .seq_lengths = how.seq_lengths, .reverse = false, .time_major = time_first};
    Sequences<typename Backward::Carry> back{
        .seq_lengths = how.seq_lengths, .reverse = true, .keep_order = true, .time_major = time_first};
    if (how.initial_carry) {
      ahead.initial_carry = how.initial_carry->first;
      back.initial_carry = how.initial_carry->second;
    }
    if (keys.defined()) {
      ahead.init_key = keys(0);
      back.init_key = keys(1);
    }
    auto [last, forward] = forward_rnn.invoke(&Forward::with_carry, x, ahead);
    auto [first, backward] = backward_rnn.invoke(&Backward::with_carry, x, back);
    return {Carry(std::move(last), std::move(first)), merge_fn(forward, backward)};
  }
};

}  // namespace weft::nn
