// The folder of a training run: its checkpoints, its curves ("curve.csv"), its events for TensorBoard, its pictures. A
// run that was killed goes on from its last checkpoint, and its curves end as if nobody had killed it.
//
//   train::RunFolder folder("run", {{"seed", "0"}, {"learning-rate", "0.1"}});
//   run = folder.restore(std::move(run));      // the last checkpoint, or `run` as it is
//   ...
//   folder.write_scalars(step, {{"train/loss", loss}});
//   folder.save(run, step);
//   ...
//   train::line_plot(folder.file("curve.png"), {.panels = {{"loss", folder.series({"train/loss"})}}});
//
// A checkpoint holds the run's tree ("run") and the settings that the run began with ("settings"), so that one with
// other settings cannot go on by mistake. Invariant: what was written before save() is in its files before the
// checkpoint is, so a killed program loses nothing that a checkpoint is past.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "train/checkpoint.h"
#include "train/durable_file.h"
#include "train/metric_writer.h"
#include "train/plot.h"

namespace weft::train {

/// What a run is begun with, such as a learning rate, as texts: they are compared as such, so a number must always be
/// written in the same way.
struct Setting {
  std::string name, value;
  bool operator==(const Setting&) const = default;
};
using Settings = std::vector<Setting>;

namespace detail {

/// A checkpoint that RunFolder::save wrote, its tree as it is in the file. The report's path is empty when there is
/// none.
struct SavedRun {
  StateValue run;
  Settings settings;
  CheckpointReport report;
};

template <class T>
T run_of(const SavedRun& saved, std::string_view op, T target, const RestoreOptions& options = {}) {
  StateLeaves leaves(saved.run, saved.report.path);
  return read_tree(op, std::move(target), leaves, saved.report.path, options);
}

}  // namespace detail

class RunFolder {
 public:
  /// Touches no file. `checkpoints`: how many of them stay, and their format. Where more than one does, a damaged one
  /// is passed over, which restore() tells. ValueError when the folder has no name, two settings have the same, or one
  /// is no UTF-8.
  explicit RunFolder(std::string path, Settings settings = {}, CheckpointOptions checkpoints = {},
                     SourceLocation loc = std::source_location::current());

  /// A tree like `run` from the last checkpoint, told on standard output: "goes on from run/checkpoint_300". Curves go
  /// on from there: points after its step, which the run will come by again, are removed. Without a checkpoint `run`
  /// itself; curves begin anew, and the settings are written for TensorBoard. Makes the folder. Once, before all that
  /// follows but learned().
  /// ValueError while another program, or another RunFolder of this one, has restored the run and still writes it; and
  /// one that lists every setting that differs, is missing or extra, before leaves are looked at; ParseError for a
  /// checkpoint without settings, and when curve.csv is no such table; else the errors of restore_checkpoint.
  template <class T>
  T restore(T run, SourceLocation loc = std::source_location::current()) {
    const LocationScope scope(loc, "restore");
    lock();
    const detail::SavedRun saved = read();
    if (!saved.report.path.empty()) run = detail::run_of(saved, "restore", std::move(run));
    open(saved.report);
    return run;
  }

  /// The same for programs that only use what was learned: ValueError where there is no checkpoint. Writes nothing.
  /// With .allow_extra a struct of some members of the run will do, such as what its sizes follow from.
  template <class T>
  T learned(T run, const RestoreOptions& options = {}, SourceLocation loc = std::source_location::current()) const {
    const LocationScope scope(loc, "learned");
    return detail::run_of(read_learned(), "learned", std::move(run), options);
  }

  /// Numbers of that step for TensorBoard and for curve.csv. ValueError before restore(), here and below; BackendError
  /// when the system refuses, for TensorBoard's files perhaps with a later call.
  void write_scalars(std::int64_t step, const MetricWriter::Scalars& scalars,
                     SourceLocation loc = std::source_location::current());

  /// For TensorBoard alone: images, texts, and numbers that are no curves. Writes on a thread of its own.
  MetricWriter& writer(SourceLocation loc = std::source_location::current());

  /// Flushes all that was written, then saves the run and its settings as the checkpoint of that step, in place of
  /// those that are too many then: its path. Errors as of save_checkpoint.
  template <class T>
  std::string save(const T& run, std::int64_t step, SourceLocation loc = std::source_location::current()) {
    const LocationScope scope(loc, "save");
    return store(to_state_dict(run), step);
  }

  /// What write_scalars wrote under these names, in this order, also before the run went on; empty series for others.
  std::vector<Series> series(const std::vector<std::string>& names,
                             SourceLocation loc = std::source_location::current());

  /// The path of a file in the folder.
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }
  const Settings& settings() const { return settings_; }

 private:
  /// The last checkpoint, to go on from or to use; ValueError when its settings are others.
  detail::SavedRun read() const;
  detail::SavedRun read_learned() const;
  void check_settings(const detail::SavedRun& saved, const char* hint) const;
  /// Where there is a folder: takes it from all other programs, as long as this one writes the run.
  void lock();
  /// Opens the curves and the events where the run goes on, or begins.
  void open(const CheckpointReport& report);
  void check_open(const char* op) const;
  std::string store(StateValue run, std::int64_t step);

  std::string path_;
  Settings settings_;
  CheckpointOptions checkpoints_;
  std::optional<FolderLock> lock_;
  std::unique_ptr<MetricWriter> curves_, events_;  // none before restore()
};

/// The settings of the last checkpoint in a RunFolder; nullopt when there is no checkpoint. ParseError when it has no
/// settings or is damaged, BackendError when the system refuses.
std::optional<Settings> settings_of(const std::string& folder, SourceLocation loc = std::source_location::current());

}  // namespace weft::train
