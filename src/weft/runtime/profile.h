// Where the time of a program goes: its statements, timed while it runs, as a table and as a trace file.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "weft/ir/jaxpr.h"

namespace weft {

/// One statement of a program: a kernel, or an operation that is a whole.
struct ProgramStatement {
  std::string name;         ///< "kernel [128,512]: add max", "dot_general f32[128,784] f32[784,512]"
  SourceLocation location;  ///< the line that asked for it, where known
  double bytes = 0;         ///< read and written each time, as far as it is known; each element once
  double flops = 0;         ///< of products and convolutions, two per multiplication
};

/// The equations of a program as statements, for what runs one after the other.
std::vector<ProgramStatement> statements_of(const ir::Jaxpr& jaxpr);
/// An equation as a statement.
ProgramStatement statement_of(const ir::Jaxpr& jaxpr, const ir::Eqn& eqn);

/// Takes the times of statements, which nest: those of a loop's body are inside of the loop's. For one thread.
class StatementTimer {
 public:
  struct Times {
    std::int64_t calls = 0;
    double seconds = 0;  ///< with the statements inside
    double own = 0;      ///< without them
  };
  struct Event {
    std::uint32_t statement;
    double begin, seconds;  // from the timer's beginning on
  };

  explicit StatementTimer(std::size_t num_statements);
  void begin(std::size_t statement);
  void end();
  /// Forgets statements that have begun and not ended: the program failed.
  void abandon() { open_.clear(); }

  const std::vector<Times>& times() const { return times_; }
  /// In the order of their ends, the first kMostEvents of them.
  const std::vector<Event>& events() const { return events_; }
  static constexpr std::size_t kMostEvents = 1 << 18;

 private:
  struct Open {
    std::size_t statement;
    double begin, inside;
  };
  double now() const;

  double start_;
  std::vector<Times> times_;
  std::vector<Open> open_;
  std::vector<Event> events_;
};

/// The times of a program's statements over some runs.
class Profile {
 public:
  struct Row {
    ProgramStatement statement;
    StatementTimer::Times times;
  };
  /// `seconds`: of all runs together.
  Profile(std::vector<ProgramStatement> statements, const StatementTimer& timer, int runs, double seconds);

  /// The statements that ran, that with the longest time of its own first.
  const std::vector<Row>& rows() const { return rows_; }
  int runs() const { return runs_; }
  double seconds() const { return seconds_; }
  /// A table: share of the time, milliseconds per run, calls per run, microseconds per call, and the rates of moving
  /// bytes and of multiplying and adding. The last row is what no statement takes: the call itself, and memory for
  /// results.
  std::string str() const;
  /// Writes the runs as a trace in Chrome's JSON form, which Perfetto and chrome://tracing show: one event for each
  /// time that a statement ran, the first StatementTimer::kMostEvents of them. BackendError when the file cannot be
  /// written.
  void save_trace(const std::string& path, SourceLocation loc = std::source_location::current()) const;

 private:
  std::vector<ProgramStatement> statements_;
  std::vector<Row> rows_;
  std::vector<StatementTimer::Event> events_;
  int runs_;
  double seconds_;
};

std::ostream& operator<<(std::ostream& out, const Profile& profile);

}  // namespace weft
