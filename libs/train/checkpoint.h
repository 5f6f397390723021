// Checkpoints: trees in files by step, as flax.training.checkpoints has them. A program that is killed at any moment
// finds its last complete checkpoint again, bit for bit; damaged ones are refused.
//
//   state = train::restore_checkpoint("run", state);   // the last one, or `state` when there is none
//   ...
//   train::save_checkpoint("run", state, step, {.keep = 3});
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "train/checkpoint_folder.h"
#include "train/state_tree.h"

namespace weft::train {

/// What to restore.
struct CheckpointChoice {
  std::string prefix = "checkpoint_";
  std::optional<std::int64_t> step = {};  ///< this one instead of the last; ValueError when it is not there
  /// Goes on to the one before when one is damaged or cannot be read, and says so in the report. The next save replaces
  /// those of its step and later ones that do not fit their sums; others that were skipped need `overwrite`. Those of
  /// earlier steps stay, and count among those that are kept: nobody reads them when a save asks which.
  bool skip_damaged = false;
  RestoreOptions leaves = {};
};

/// What was restored.
struct CheckpointReport {
  std::string path;                ///< empty when there was none
  std::optional<double> step;      ///< from the file's name
  bool checked = false;            ///< whether its bytes fit the sum that Weft keeps beside its checkpoints
  std::vector<std::string> notes;  ///< sentences: that there was no sum to check, which files were damaged
};

namespace detail {

/// The bytes of a checkpoint.
std::vector<std::byte> checkpoint_bytes(const StateValue& state, CheckpointFormat format);

/// A checkpoint's leaves as they are in its file.
struct ReadCheckpoint {
  StateValue state;
  CheckpointReport report;
};
/// What `path`, a folder or a file, and `choice` lead to; its report's path is empty when there is nothing.
ReadCheckpoint read_checkpoint(const std::string& path, const CheckpointChoice& choice);

}  // namespace detail

/// Writes `tree` as the checkpoint of that step and returns the file's path: first under another name, then, when the
/// disk has it, under its own; only then are old checkpoints removed. Makes the folder. ValueError for a step that is
/// not after those in the folder (unless `overwrite`) and for bad options, BackendError when the system refuses,
/// ConcretizationError inside of a transformation.
template <class T>
std::string save_checkpoint(const std::string& folder, const T& tree, std::int64_t step,
                            const CheckpointOptions& options = {},
                            SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "save_checkpoint");
  check_new_checkpoint(folder, step, options);
  return store_checkpoint(folder, detail::checkpoint_bytes(to_state_dict(tree), options.format), step, options);
}

/// The file with the greatest step in the folder; nullopt when there is none.
std::optional<std::string> latest_checkpoint(const std::string& folder, const std::string& prefix = "checkpoint_",
                                             SourceLocation loc = std::source_location::current());

/// A tree like `target` with the leaves of the last checkpoint in a folder, or of that file; `target` itself when there
/// is none. Files of both formats, and those of Flax and of the safetensors library, which have no sum: their
/// structure is checked, and the report says so. ParseError naming the file and the reason when it is damaged, or a
/// folder as Orbax makes them, TreeError that lists all leaves that are missing, extra, or of another shape or dtype,
/// ValueError when the chosen step is not there, BackendError when the system refuses.
template <class T>
T restore_checkpoint(const std::string& path, T target, const CheckpointChoice& choice = {},
                     CheckpointReport* report = nullptr, SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "restore_checkpoint");
  detail::ReadCheckpoint read = detail::read_checkpoint(path, choice);
  if (!read.report.path.empty()) {
    StateLeaves leaves(read.state, read.report.path);
    target = detail::read_tree("restore_checkpoint", std::move(target), leaves, read.report.path, choice.leaves);
  }
  if (report != nullptr) *report = std::move(read.report);
  return target;
}

/// The same without a target: the state dictionary (of a safetensors file, its leaves by path).
StateValue restore_checkpoint(const std::string& path, const CheckpointChoice& choice = {},
                              CheckpointReport* report = nullptr, SourceLocation loc = std::source_location::current());

/// A tree like `initial` from the last checkpoint in the folder; when there is none, `initial`, which is saved there as
/// the checkpoint of that step. Errors as of restore_checkpoint and save_checkpoint. Source: clu.checkpoint.
template <class T>
T restore_or_initialize(const std::string& folder, T initial, std::int64_t step = 0,
                        const CheckpointOptions& options = {}, SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "restore_or_initialize");
  CheckpointReport report;
  initial = restore_checkpoint(folder, std::move(initial), {.prefix = options.prefix}, &report);
  if (report.path.empty()) save_checkpoint(folder, initial, step, options);
  return initial;
}

/// Saves while the program goes on. The tree is copied at the call; a thread writes it. One save is under way at a
/// time: the next waits for it. An error is thrown by the next call, which is carried out all the same; or told on
/// standard error when there is none.
class AsyncCheckpointer {
 public:
  AsyncCheckpointer() = default;
  /// Waits.
  ~AsyncCheckpointer();
  AsyncCheckpointer(const AsyncCheckpointer&) = delete;
  AsyncCheckpointer& operator=(const AsyncCheckpointer&) = delete;

  /// As save_checkpoint; BackendError may come with the next call.
  template <class T>
  void save(const std::string& folder, const T& tree, std::int64_t step, const CheckpointOptions& options = {},
            SourceLocation loc = std::source_location::current()) {
    const LocationScope scope(loc, "save_checkpoint");
    join();
    check_new_checkpoint(folder, step, options);
    start(folder, detail::checkpoint_bytes(to_state_dict(tree), options.format), step, options, loc);
  }
  /// Returns when the last save is complete; throws its error.
  void wait(SourceLocation loc = std::source_location::current());

 private:
  void join();
  /// Begins the save; then throws the error of the one before.
  void start(std::string folder, std::vector<std::byte> bytes, std::int64_t step, CheckpointOptions options,
             SourceLocation loc);

  std::thread thread_;
  std::exception_ptr error_;
};

}  // namespace weft::train
