// Folders of checkpoints: names, order, which ones are kept, and the sums that tell damaged ones. Knows bytes and
// steps, not what checkpoints hold.
//
// A checkpoint of step 12 is the file "checkpoint_12" ("checkpoint_12.safetensors" in that format) and, beside it, the
// small hidden file ".checkpoint_12.sum" with its size and CRC-32C: hidden, because Flax takes all that begins with
// "checkpoint_" for checkpoints. Invariant: at every moment each checkpoint under its name is complete and has a sum
// that fits, or none at all; the last one is removed only when the next is on the disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace weft::train {

enum class CheckpointFormat : std::uint8_t {
  kMsgpack,      ///< Flax's; see msgpack.h
  kSafetensors,  ///< see safetensors.h
};

struct CheckpointOptions {
  std::string prefix = "checkpoint_";
  std::int64_t keep = 1;  ///< so many of the last checkpoints stay; at least 1
  std::int64_t keep_every_n_steps =
      0;  ///< of those before, each that is so many steps after the last one kept, but not step 0, as Flax; 0: none
  bool overwrite = false;  ///< replaces a checkpoint of the same step, and removes those of later steps
  CheckpointFormat format = CheckpointFormat::kMsgpack;
};

/// A checkpoint as its folder tells it.
struct CheckpointFile {
  std::string path;
  double step = 0;  ///< Flax has fractions, too
};

/// The checkpoints in a folder in the order of their steps, which is that of numbers (2, 10); none when there is no
/// such folder. BackendError when it cannot be read.
std::vector<CheckpointFile> list_checkpoints(const std::string& folder, const std::string& prefix = "checkpoint_");
/// The same of folders with such names, which Orbax makes and nothing here reads.
std::vector<CheckpointFile> list_checkpoint_folders(const std::string& folder, const std::string& prefix);

/// The step in the name of a checkpoint's file; nullopt when the name is none of a checkpoint.
std::optional<double> checkpoint_step(const std::string& name, const std::string& prefix);

/// ValueError for numbers and prefixes out of range.
void check_checkpoint_options(const CheckpointOptions& options);

/// ValueError unless a checkpoint of that step may be written there with these options: later ones are in the way,
/// unless they are damaged, that is, do not fit their sums.
void check_new_checkpoint(const std::string& folder, std::int64_t step, const CheckpointOptions& options);

/// Writes a checkpoint, waits until the disk has it, then removes those that it makes superfluous, and damaged ones of
/// its step or later. Its path.
/// BackendError when the system refuses: then all checkpoints are as they were.
std::string store_checkpoint(const std::string& folder, std::span<const std::byte> bytes, std::int64_t step,
                             const CheckpointOptions& options);

/// The bytes of a checkpoint; `checked` says whether there was a sum to compare with. ParseError, naming the file, when
/// they do not fit their sum, BackendError when they cannot be read.
struct CheckpointBytes {
  std::vector<std::byte> bytes;
  bool checked = false;
};
CheckpointBytes load_checkpoint(const std::string& path);

}  // namespace weft::train
