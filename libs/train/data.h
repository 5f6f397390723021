// A deterministic pipeline of batches: which examples come when follows from the options alone, on every machine, and a
// run that is stopped anywhere goes on exactly where it was.
//
//   train::Pipeline data(Digits{images, labels}, {.batch_size = 128, .seed = 1, .prefetch = 2});
//   data.seek(checkpoint.position);                       // of a run before
//   while (auto batch = data.next()) {
//     state = step(state, batch->examples);
//     save({state, data.position()});
//   }
//
// Examples come from a tree of arrays, a function (FunctionSource), or any source: it has a type `Examples`, `size()`,
// the number of examples, and `batch(indices, count, epoch)`, those examples stacked and followed by zeros up to
// `count`. With prefetch it is called on another thread.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "train/prefetch.h"
#include "weft/core/tree.h"

namespace weft::train {

/// What happens to the examples of an epoch that fill no batch.
enum class Remainder : std::uint8_t {
  kDrop,  ///< they are left out: others in each epoch, when shuffled
  kPad,   ///< zeros fill the last batch, and the mask tells which; all shards have equally many batches
  kKeep,  ///< the last batch is smaller
};

struct DataOptions {
  std::int64_t batch_size = 32;
  bool shuffle = true;
  std::int64_t seed = 0;
  Remainder remainder = Remainder::kDrop;
  std::optional<std::int64_t> num_epochs = {};  ///< without end when not given
  std::int64_t shard = 0, num_shards = 1;       ///< this process has every `num_shards`th example of the order
  /// Batches made ahead of time, by a thread. After an error, which comes in the place of its batch, there are none
  /// until seek(); without a thread the batch is tried again.
  int prefetch = 0;
};

/// Where a pipeline is: static values, which a checkpoint keeps. It belongs beside the training state, not into it, as
/// jit would compile for each position anew.
struct DataPosition {
  std::int64_t epoch = 0;
  std::int64_t batch = 0;        ///< of the epoch, the next one
  std::int64_t fingerprint = 0;  ///< of the options and the number of examples; 0: of any pipeline
  friend bool operator==(const DataPosition&, const DataPosition&) = default;
};

template <class T>
struct Batch {
  T examples;         ///< arrays [batch_size, ...]
  Array mask;         ///< bool[batch_size]: false for padding
  std::int64_t size;  ///< without padding
  DataPosition next;  ///< of the batch after this one
};

namespace detail {

/// Which examples are in which batch. Knows nothing of sources and threads.
class BatchOrder {
 public:
  /// ValueError for bad options.
  BatchOrder(std::int64_t num_examples, const DataOptions& options);
  /// 0 when there are too few examples.
  std::int64_t batches_per_epoch() const { return num_batches_; }
  std::int64_t fingerprint() const { return fingerprint_; }
  /// The examples of that batch; keeps the order of one epoch at a time.
  std::span<const std::int64_t> indices(const DataPosition& at);
  /// How many the batch has with padding.
  std::int64_t padded_size(std::size_t size) const;
  /// Whether there is a batch at that position.
  bool has(const DataPosition& at) const;
  DataPosition after(DataPosition at) const;
  /// ValueError unless the position is one of this pipeline's.
  DataPosition checked(const DataPosition& at) const;

 private:
  DataOptions options_;
  std::int64_t num_examples_, num_batches_ = 0, fingerprint_ = 0;
  std::optional<std::int64_t> epoch_;
  std::vector<std::int64_t> order_;  // of this shard in epoch_
};

/// A new array of `count` rows, of which row i is a copy of row indices[i] of `a` and those beyond are zeros.
/// IndexError unless indices are rows.
Array gather_rows(const Array& a, std::span<const std::int64_t> indices, std::int64_t count);
/// A new array of `count` rows of the type of `like`: the arrays, and zeros. ShapeError naming the example of `indices`
/// that has another type.
Array stack_rows(const Array& like, std::span<const Array> rows, std::span<const std::int64_t> indices,
                 std::int64_t count, const std::string& path);
/// The common first size of arrays; ShapeError naming the paths that differ.
std::int64_t common_rows(const std::vector<std::pair<std::string, Array>>& arrays);
Array batch_mask(std::int64_t size, std::int64_t count);

}  // namespace detail

/// Examples in memory: a tree of arrays whose first axis goes over examples.
template <class T>
class ArraySource {
 public:
  using Examples = T;
  /// ShapeError unless all arrays have the same first size.
  ArraySource(T arrays, SourceLocation loc = std::source_location::current())  // implicit by design
      : arrays_(std::move(arrays)) {
    const LocationScope scope(loc, "array_source");
    size_ = detail::common_rows(tree::leaves_with_path(arrays_));
  }
  std::int64_t size() const { return size_; }
  T batch(std::span<const std::int64_t> indices, std::int64_t count, std::int64_t) const {
    T out = arrays_;
    tree::for_each(out, [&](Array& a) { a = detail::gather_rows(std::as_const(a), indices, count); });
    return out;
  }

 private:
  T arrays_;
  std::int64_t size_ = 0;
};

/// Examples that a function makes: f(index), or f(index, epoch) for those that differ from epoch to epoch. All have the
/// same structure and types.
template <class F>
class FunctionSource {
  static constexpr bool kTakesEpoch = std::invocable<const F&, std::int64_t, std::int64_t>;
  static auto call(const F& f, std::int64_t index, std::int64_t epoch) {
    if constexpr (kTakesEpoch)
      return f(index, epoch);
    else
      return f(index);
  }

 public:
  using Examples = decltype(call(std::declval<const F&>(), 0, 0));
  FunctionSource(std::int64_t size, F f) : size_(size), f_(std::move(f)) {}
  std::int64_t size() const { return size_; }
  Examples batch(std::span<const std::int64_t> indices, std::int64_t count, std::int64_t epoch) const {
    // Of nothing but padding, one example tells the types.
    Examples like = call(f_, indices.empty() ? 0 : indices[0], epoch);
    const Arrays types = tree::leaves(like);
    std::vector<Arrays> columns(types.size());
    for (std::size_t row = 0; row < indices.size(); ++row) {
      const Examples example = row == 0 ? like : call(f_, indices[row], epoch);
      tree::check_same_structure("function_source", like, example);
      const Arrays leaves = tree::leaves(example);
      for (std::size_t i = 0; i < leaves.size(); ++i) columns[i].push_back(leaves[i]);
    }
    const auto paths = tree::structure(like).paths();
    Arrays stacked;
    for (std::size_t i = 0; i < columns.size(); ++i)
      stacked.push_back(detail::stack_rows(types[i], columns[i], indices, count, paths[i]));
    return tree::with_leaves(std::move(like), stacked);
  }

 private:
  std::int64_t size_;
  F f_;
};

/// The batches of a source.
template <class Source>
class Pipeline {
 public:
  using Examples = typename Source::Examples;

  /// ValueError for sizes and numbers out of range.
  Pipeline(Source source, DataOptions options = {}, SourceLocation loc = std::source_location::current())
      : source_(std::make_shared<const Source>(std::move(source))), options_(options) {
    const LocationScope scope(loc, "pipeline");
    order_.emplace(source_->size(), options_);
    seek({}, loc);
  }

  std::int64_t batches_per_epoch() const { return order_->batches_per_epoch(); }

  /// The next batch; nullopt after the last epoch, and at once when no batch is full. Errors of the source come in the
  /// place of the batch that it did not make.
  std::optional<Batch<Examples>> next() {
    std::optional<Batch<Examples>> out = prefetcher_ ? prefetcher_->next() : make(*source_, *order_, position_);
    if (out) position_ = out->next;
    return out;
  }

  /// Of the batch that next() gives next, whatever was made ahead of time.
  const DataPosition& position() const { return position_; }

  /// Goes on at that position. ValueError when it is of a pipeline of other options or another number of examples.
  void seek(const DataPosition& to, SourceLocation loc = std::source_location::current()) {
    const LocationScope scope(loc, "seek");
    const DataPosition position = order_->checked(to);
    prefetcher_.reset();
    position_ = position;
    if (options_.prefetch == 0) return;
    // The thread has an order and a position of its own.
    auto produce = [source = source_, order = *order_, at = position]() mutable {
      auto batch = make(*source, order, at);
      if (batch) at = batch->next;
      return batch;
    };
    prefetcher_ = std::make_unique<Prefetcher<Batch<Examples>>>(std::move(produce), options_.prefetch);
  }

 private:
  static std::optional<Batch<Examples>> make(const Source& source, detail::BatchOrder& order, const DataPosition& at) {
    if (!order.has(at)) return std::nullopt;
    const auto indices = order.indices(at);
    const std::int64_t count = order.padded_size(indices.size()), size = static_cast<std::int64_t>(indices.size());
    return Batch<Examples>{source.batch(indices, count, at.epoch), detail::batch_mask(size, count), size,
                           order.after(at)};
  }
  std::shared_ptr<const Source> source_;
  DataOptions options_;
  std::optional<detail::BatchOrder> order_;
  DataPosition position_;
  std::unique_ptr<Prefetcher<Batch<Examples>>> prefetcher_;
};

template <class T>
concept ExampleSource = requires(const T& source, std::span<const std::int64_t> indices) {
  { source.size() } -> std::convertible_to<std::int64_t>;
  { source.batch(indices, 1, 0) } -> std::same_as<typename T::Examples>;
};
template <class T>
  requires(!ExampleSource<T>)
Pipeline(T, DataOptions = {}, SourceLocation = SourceLocation()) -> Pipeline<ArraySource<T>>;
template <ExampleSource T>
Pipeline(T, DataOptions = {}, SourceLocation = SourceLocation()) -> Pipeline<T>;

}  // namespace weft::train
