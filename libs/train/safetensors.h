// safetensors files: named arrays after a header in JSON that says their dtypes, shapes and places. Little-endian,
// row-major. Invariant: a file that is read has every byte of its data in exactly one array, and bytes that are written
// equal those of the safetensors library for the same arrays.
// Source: github.com/huggingface/safetensors, README.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "train/state_tree.h"

namespace weft::train {

struct Safetensors {
  std::map<std::string, Array> tensors;
  std::map<std::string, std::string> metadata;
};

/// The file's bytes. DTypeError for dtypes that the format lacks (complex128, integers and floats below 8 bits, the
/// float8 types but E4M3FN, E5M2 and E8M0FNU), ValueError for a name "__metadata__", for text that is no UTF-8 and for
/// arrays that are none, ConcretizationError for arrays that are only traced.
std::vector<std::byte> serialize_safetensors(const Safetensors& file,
                                             SourceLocation loc = std::source_location::current());

/// What the file's bytes hold. ParseError naming `source` when they are damaged, foreign, or have a dtype that Weft
/// lacks; so are arrays that overlap, leave gaps, or have another size than their shape says.
Safetensors parse_safetensors(std::span<const std::byte> bytes, const std::string& source = "<memory>",
                              SourceLocation loc = std::source_location::current());

/// Writes the file in one step, so that a machine that stops leaves the old one or the new one (see
/// write_durable_file), and reads one; BackendError when the system refuses.
void write_safetensors(const std::string& path, const Safetensors& file,
                       SourceLocation loc = std::source_location::current());
Safetensors read_safetensors(const std::string& path, SourceLocation loc = std::source_location::current());

// ---- trees ----

/// The arrays of a state dictionary by their paths, with `separator` between keys; whatever else it has is metadata, as
/// "weft:<path>". ValueError when two leaves have one name.
Safetensors safetensors_of(const StateValue& state, const std::string& separator = "/");
/// The other way round: the leaves by name.
StateDict leaves_of(const Safetensors& file, const std::string& source);

/// The arrays of a tree by their paths: "params/Dense_0/kernel", or with '.' "params.Dense_0.kernel".
template <class T>
Safetensors to_safetensors(const T& t, const std::string& separator = "/",
                           SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "to_safetensors");
  return safetensors_of(to_state_dict(t), separator);
}

/// A tree like `target` with the arrays of the file: TreeError as from_state_dict. `source` names the file in errors.
template <class T>
T from_safetensors(T target, const Safetensors& file, const std::string& separator = "/",
                   const RestoreOptions& options = {}, const std::string& source = "the file",
                   SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "from_safetensors");
  const StateValue state = leaves_of(file, source);
  StateLeaves leaves(state, source);
  return detail::read_tree("from_safetensors", std::move(target), leaves, source, options, separator);
}

}  // namespace weft::train
