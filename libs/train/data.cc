#include "train/data.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "train/array_bytes.h"
#include "train/crc32c.h"
#include "train/shuffle.h"
#include "weft/base/error.h"
#include "weft/base/text.h"

namespace weft::train::detail {

// ---- BatchOrder ----

namespace {

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

void check_data(bool ok, const char* must, std::int64_t got) {
  if (!ok) throw ValueError(std::string("pipeline: ") + must + "; got " + number_str(got) + ".");
}

}  // namespace

BatchOrder::BatchOrder(std::int64_t num_examples, const DataOptions& options)
    : options_(options), num_examples_(num_examples) {
  check_data(num_examples >= 0, "the source must have a size from 0", num_examples);
  check_data(options.batch_size > 0, "batch_size must be positive", options.batch_size);
  check_data(options.num_shards > 0, "num_shards must be positive", options.num_shards);
  check_data(options.shard >= 0 && options.shard < options.num_shards, "shard must be from 0 and below num_shards",
             options.shard);
  check_data(options.prefetch >= 0, "prefetch must not be negative", options.prefetch);
  check_data(!options.num_epochs || *options.num_epochs >= 0, "num_epochs must not be negative",
             options.num_epochs.value_or(0));
  const std::int64_t n = num_examples, shards = options.num_shards;
  switch (options.remainder) {
    case Remainder::kDrop: num_batches_ = n / shards / options.batch_size; break;
    case Remainder::kPad: num_batches_ = ceil_div(ceil_div(n, shards), options.batch_size); break;
    case Remainder::kKeep:
      num_batches_ = ceil_div(std::max<std::int64_t>(0, ceil_div(n - options.shard, shards)), options.batch_size);
      break;
  }
  // A position means the same to all shards, and wherever the run ends.
  const std::int64_t parts[] = {
      n, options.batch_size, options.shuffle, options.seed, static_cast<std::int64_t>(options.remainder), shards};
  fingerprint_ = std::int64_t{1} << 32 | crc32c(std::as_bytes(std::span(parts)));
}

std::span<const std::int64_t> BatchOrder::indices(const DataPosition& at) {
  if (!epoch_ || (options_.shuffle && *epoch_ != at.epoch)) {
    std::vector<std::int64_t> all;
    if (options_.shuffle) {
      all = shuffled(num_examples_, options_.seed, at.epoch);
    } else {
      all.resize(static_cast<std::size_t>(num_examples_));
      std::iota(all.begin(), all.end(), 0);
    }
    order_.clear();
    for (std::int64_t i = options_.shard; i < num_examples_; i += options_.num_shards)
      order_.push_back(all[static_cast<std::size_t>(i)]);
    epoch_ = at.epoch;
  }
  const std::size_t size = order_.size(), batch = static_cast<std::size_t>(options_.batch_size);
  const std::size_t begin = std::min(size, static_cast<std::size_t>(at.batch) * batch);
  return std::span(order_).subspan(begin, std::min(batch, size - begin));
}

std::int64_t BatchOrder::padded_size(std::size_t size) const {
  return options_.remainder == Remainder::kPad ? options_.batch_size : static_cast<std::int64_t>(size);
}

bool BatchOrder::has(const DataPosition& at) const {
  return num_batches_ > 0 && (!options_.num_epochs || at.epoch < *options_.num_epochs);
}

DataPosition BatchOrder::after(DataPosition at) const {
  if (++at.batch == num_batches_) {
    at.batch = 0;
    ++at.epoch;
  }
  at.fingerprint = fingerprint_;
  return at;
}

DataPosition BatchOrder::checked(const DataPosition& at) const {
  if (at.fingerprint != 0 && at.fingerprint != fingerprint_)
    throw ValueError(
        "seek: the position must be of a pipeline with the same options and number of examples; got one of "
        "another.",
        "seed, shuffle, batch_size, remainder and num_shards decide which examples come when.");
  if (at.epoch < 0 || at.batch < 0 || at.batch >= std::max<std::int64_t>(num_batches_, 1))
    throw ValueError("seek: the position must be an epoch from 0 and one of its " + number_str(num_batches_) +
                     " batches; got epoch " + number_str(at.epoch) + ", batch " + number_str(at.batch) + ".");
  return {at.epoch, at.batch, fingerprint_};
}

// ---- batches ----

namespace {

// A new buffer of rows, and its bytes.
struct Rows {
  Array array;
  std::byte* bytes;
  std::size_t row;  // bytes
};

Rows new_rows(DType dtype, DimSpan row_shape, std::int64_t count) {
  Dims shape{count};
  for (const std::int64_t n : row_shape) shape.push_back(n);
  const Aval aval(dtype, shape);
  Ref<BufferValue> buffer = weft::detail::new_buffer(aval);
  auto* bytes = static_cast<std::byte*>(buffer->storage()->data());
  const auto row = static_cast<std::size_t>(product(row_shape) * byte_size(dtype));
  return {Array(Ref<const Value>(std::move(buffer))), bytes, row};
}

}  // namespace

Array gather_rows(const Array& a, std::span<const std::int64_t> indices, std::int64_t count) {
  const ArrayBytes from(a, "array_source");
  Rows rows = new_rows(a.dtype(), a.shape().subspan(1), count);
  std::byte* to = rows.bytes;
  for (const std::int64_t i : indices) {
    if (i < 0 || i >= a.shape(0))
      throw IndexError("array_source: indices must be from 0 and below " + number_str(a.shape(0)) + "; got " +
                       number_str(i) + ".");
    if (rows.row > 0) std::memcpy(to, from.bytes().data() + static_cast<std::size_t>(i) * rows.row, rows.row);
    to += rows.row;
  }
  const std::size_t padding = (static_cast<std::size_t>(count) - indices.size()) * rows.row;
  if (padding > 0) std::memset(to, 0, padding);
  return rows.array;
}

Array stack_rows(const Array& like, std::span<const Array> arrays, std::span<const std::int64_t> indices,
                 std::int64_t count, const std::string& path) {
  Rows rows = new_rows(like.dtype(), like.shape(), count);
  std::byte* to = rows.bytes;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    if (arrays[i].dtype() != like.dtype() || !(arrays[i].shape() == like.shape()))
      throw ShapeError("function_source: all examples must have the types of the first; got " + arrays[i].aval().str() +
                       " for " + like.aval().str() + (path.empty() ? "" : " at " + path) + " of example " +
                       number_str(indices[i]) + ".");
    const ArrayBytes from(arrays[i], "function_source");
    if (rows.row > 0) std::memcpy(to, from.bytes().data(), rows.row);
    to += rows.row;
  }
  const std::size_t padding = (static_cast<std::size_t>(count) - arrays.size()) * rows.row;
  if (padding > 0) std::memset(to, 0, padding);
  return rows.array;
}

std::int64_t common_rows(const std::vector<std::pair<std::string, Array>>& arrays) {
  if (arrays.empty()) throw ShapeError("array_source: there must be an array of examples; got none.");
  const auto named = [](const std::pair<std::string, Array>& a) {
    return a.second.aval().str() + (a.first.empty() ? "" : " at " + a.first);
  };
  for (const auto& a : arrays)
    if (a.second.ndim() == 0 || a.second.shape(0) != arrays[0].second.shape(0))
      throw ShapeError("array_source: all arrays must have the same first size; got " + named(a) + " for " +
                       named(arrays[0]) + ".");
  return arrays[0].second.shape(0);
}

Array batch_mask(std::int64_t size, std::int64_t count) {
  if (size == count) return Array::full({count}, boolean, Scalar(true));
  std::vector<bool> mask(static_cast<std::size_t>(count));
  std::fill_n(mask.begin(), size, true);
  return Array(mask);
}

}  // namespace weft::train::detail
