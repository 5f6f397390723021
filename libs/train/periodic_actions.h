// Small things that a training loop does now and then: each is called after every step, and decides. Source:
// clu.periodic_actions.
//
//   train::ReportProgress report({.num_train_steps = 1000, .writer = writer.get(), .when = {.every_steps = 100}});
//   for (std::int64_t step = 1; step <= 1000; ++step) {
//     state = train_step(state, batch);
//     report(step);
//   }
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "weft/base/location.h"

namespace weft::train {

class MetricWriter;

/// Seconds from any start, never backwards.
using Clock = std::function<double()>;
/// The system's.
Clock steady_clock();

/// When an action acts: after any step that one of these is true of.
struct Schedule {
  std::optional<std::int64_t> every_steps = {};  ///< the step is a multiple
  std::optional<double> every_secs = {};         ///< so much time since it last acted, or since the first call
  std::set<std::int64_t> on_steps = {};
};

class PeriodicAction {
 public:
  /// ValueError when `every_steps` or `every_secs` is not positive.
  explicit PeriodicAction(Schedule when, Clock clock = {}, SourceLocation loc = std::source_location::current());
  virtual ~PeriodicAction() = default;
  PeriodicAction(const PeriodicAction&) = delete;
  PeriodicAction& operator=(const PeriodicAction&) = delete;

  /// To be called after each step; says whether it acted. With `every_steps` ValueError unless steps come one by one.
  bool operator()(std::int64_t step, SourceLocation loc = std::source_location::current());

 protected:
  /// Whether it is time. `time` in seconds of the clock.
  virtual bool is_due(std::int64_t step, double time);
  virtual void act(std::int64_t step, double time) = 0;
  double now() const { return clock_(); }
  /// When it last acted; the first call, before.
  std::int64_t previous_step() const { return previous_step_; }
  double previous_time() const { return previous_time_; }

 private:
  Schedule when_;
  Clock clock_;
  std::optional<std::int64_t> last_step_;  // of the last call
  std::int64_t previous_step_ = 0;
  double previous_time_ = 0;
};

struct ReportProgressOptions {
  std::optional<std::int64_t> num_train_steps = {};  ///< when known, the share done and the remaining time are told
  MetricWriter* writer = nullptr;                    ///< gets "steps_per_sec" and "uptime"; outlives the action
  Schedule when = {.every_secs = 60.0};              ///< and on the last step
  /// Gets the message: "12.5 steps/s, 40.0% (400/1000), ETA: 0m".
  std::function<void(const std::string&)> notes = {};
  Clock clock = {};
};

/// Tells how fast training is and when it ends.
class ReportProgress : public PeriodicAction {
 public:
  explicit ReportProgress(ReportProgressOptions options, SourceLocation loc = std::source_location::current());

  /// Adds the time until it is destroyed to that of a named part of the loop, which messages tell the share of: "(2h5m
  /// : 10.0% eval)".
  class Timed {
   public:
    Timed(ReportProgress& report, std::string name) : report_(report), name_(std::move(name)), start_(report.now()) {}
    ~Timed() { report_.parts_[name_] += report_.now() - start_; }
    Timed(const Timed&) = delete;
    Timed& operator=(const Timed&) = delete;

   private:
    ReportProgress& report_;
    std::string name_;
    double start_;
  };
  Timed timed(std::string name) { return Timed(*this, std::move(name)); }

 protected:
  /// Never at the first call, which has nothing to compare with.
  bool is_due(std::int64_t step, double time) override;
  void act(std::int64_t step, double time) override;

 private:
  ReportProgressOptions options_;
  double start_;
  std::map<std::string, double> parts_;
};

/// Calls a function.
class PeriodicCallback : public PeriodicAction {
 public:
  using Callback = std::function<void(std::int64_t step, double time)>;
  /// ValueError without a function.
  PeriodicCallback(Schedule when, Callback callback, Clock clock = {},
                   SourceLocation loc = std::source_location::current());

 protected:
  void act(std::int64_t step, double time) override { callback_(step, time); }

 private:
  Callback callback_;
};

struct ProfileActionOptions {
  std::int64_t first_profile = 10;         ///< the step at which the first one starts
  std::int64_t num_profile_steps = 5;      ///< each takes at least so many steps
  double profile_duration_secs = 3;        ///< and so much time
  Schedule when = {.every_secs = 3600.0};  ///< further ones
  std::function<void(std::int64_t step)> start = {}, stop = {};
  Clock clock = {};
};

/// Starts and stops a profiler now and then: any that the two functions stand for.
class ProfileAction : public PeriodicAction {
 public:
  /// ValueError without both functions.
  explicit ProfileAction(ProfileActionOptions options, SourceLocation loc = std::source_location::current());

 protected:
  bool is_due(std::int64_t step, double time) override;
  void act(std::int64_t step, double time) override;

 private:
  ProfileActionOptions options_;
  bool running_ = false;
};

/// Days, hours and minutes, rounded down: "1d10h17m", "0m".
std::string days_text(double seconds);

}  // namespace weft::train
