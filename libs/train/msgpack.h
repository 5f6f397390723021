// Flax's file format: state dictionaries in MessagePack (msgpack.org), with arrays as extension type 1, complex numbers
// as 2 and NumPy scalars as 3. Invariant: bytes equal those of flax.serialization, entry by entry in the same order;
// what is read is either understood entirely or refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "train/state_tree.h"

namespace weft::train {

struct MsgpackOptions {
  /// Orders the entries of all dictionaries by their keys, as msgpack_serialize of Flax does and its to_bytes does not.
  bool sort_keys = true;
  /// Larger arrays are written as dictionaries of chunks, as Flax does from 2^30 bytes on.
  std::int64_t max_chunk_bytes = std::int64_t{1} << 30;
};

/// The value's bytes. DTypeError for dtypes that NumPy and ml_dtypes have no name for, ConcretizationError for arrays
/// that are only traced, ValueError for an array that is none inside of a NumpyScalar or a chunk size below 1.
std::vector<std::byte> msgpack_serialize(const StateValue& value, const MsgpackOptions& options = {},
                                         SourceLocation loc = std::source_location::current());

/// The value in the bytes; arrays have memory of their own. ParseError naming `source` and the byte where it ends or is
/// no MessagePack, or holds what Flax does not write (other extension types, keys that are no texts, a key twice).
StateValue msgpack_restore(std::span<const std::byte> bytes, const std::string& source = "<memory>",
                           SourceLocation loc = std::source_location::current());

/// The tree's state dictionary, its entries in the order of declaration (and of keys, in maps), as Flax's to_bytes.
template <class T>
std::vector<std::byte> to_bytes(const T& t, SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "to_bytes");
  return msgpack_serialize(to_state_dict(t), {.sort_keys = false});
}

/// A tree like `target` with the leaves in the bytes: ParseError and TreeError as msgpack_restore and from_state_dict.
template <class T>
T from_bytes(T target, std::span<const std::byte> bytes, const std::string& source = "<memory>",
             const RestoreOptions& options = {}, SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "from_bytes");
  const StateValue state = msgpack_restore(bytes, source);
  StateLeaves leaves(state, source);
  return detail::read_tree("from_bytes", std::move(target), leaves, source, options);
}

}  // namespace weft::train
