// Processes as StableHLO has them, replicas x partitions, played by threads of this process; and the queues between
// them and their host. Knows nothing of operations: ops/collectives.cc is built from `exchange`, `send_message` and so
// on. Nothing here waits for ever: what cannot happen any more, or does not happen in time, is an error that says who
// waits for whom.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "weft/base/function_ref.h"
#include "weft/core/array.h"

namespace weft {

struct ProcessId {
  std::int64_t replica = 0;
  std::int64_t partition = 0;
  /// "process (replica 1, partition 0)".
  std::string str() const;
  friend bool operator==(ProcessId, ProcessId) = default;
};

namespace detail {
class GridState;
}

/// What a host exchanges with its processes. All processes of a grid share one. Thread-safe.
class HostQueues {
 public:
  /// The results of the next `infeed` that any process runs.
  void feed(Arrays values);
  /// What `outfeed` put out, oldest first; BackendError when nothing comes in time.
  Arrays take_outfeed();
  /// What a `recv` from the host on `channel` gets.
  void send(std::int64_t channel, Arrays values);
  /// What a `send` to the host on `channel` gave (unless a process receives it); BackendError when nothing comes in
  /// time.
  Arrays receive(std::int64_t channel);
  /// Says that the host gives nothing more: a process that waits for more than is there fails at once.
  void close();

 private:
  friend class ProcessGrid;
  friend HostQueues& default_host();
  explicit HostQueues(detail::GridState* state) : state_(state) {}
  detail::GridState* state_;
};

/// The host of programs that run outside any grid, as process (0, 0) of a 1 x 1 grid.
HostQueues& default_host();

class ProcessGrid {
 public:
  /// Waiting longer than `timeout` for another process or the host is an error. ValueError unless 1 <= replicas *
  /// partitions <= 1024.
  ProcessGrid(std::int64_t replicas, std::int64_t partitions,
              std::chrono::milliseconds timeout = std::chrono::seconds(30));
  ~ProcessGrid();
  ProcessGrid(const ProcessGrid&) = delete;
  ProcessGrid& operator=(const ProcessGrid&) = delete;

  std::int64_t replicas() const;
  std::int64_t partitions() const;
  HostQueues& host() { return host_; }

  /// Runs `f` once per process, each on a thread of its own (the only one of a grid on the calling thread), and waits
  /// for all. The first exception that leaves an `f`
  /// ends the waiting of all others and is rethrown. BackendError for processes that wait for what cannot come:
  /// each one is named, with what it waits in.
  void run(const std::function<void(ProcessId)>& f);

 private:
  std::unique_ptr<detail::GridState> state_;
  HostQueues host_;
};

/// Between processes of one grid; called by the thread of one of them, or by any other thread, which is process (0, 0)
/// of a 1 x 1 grid.
namespace processes {

ProcessId current();
std::int64_t replicas();
std::int64_t partitions();

/// What one process brings: valid as long as it is in `exchange`.
using Contribution = std::span<const TensorView>;

/// Waits until all of `group`, in which this process is, have come here with equal `what`; then calls `use` with what
/// each of them brought, in the order of `group`, and returns when all have done so. The n-th visit of a process is for
/// the n-th of the others. `what` starts with the operation's name and ": ", which errors do too.
void exchange(const std::string& what, std::span<const ProcessId> group, Contribution mine,
              FunctionRef<void(std::span<const Contribution>)> use);

/// Puts a message into the queue `name` of this grid; never waits.
void send_message(const std::string& name, Arrays values);
/// Takes the next message from the queue. `from_host`: it might come from outside the grid, so that nothing but time
/// tells that it never will.
Arrays receive_message(const std::string& op, const std::string& name, bool from_host);

/// Queues between processes, which are empty when a grid starts to run.
std::string device_queue(std::int64_t channel, std::int64_t source, std::int64_t target);
/// The queues of HostQueues.
std::string infeed_queue();
std::string outfeed_queue();
std::string host_channel(std::int64_t channel);

}  // namespace processes

}  // namespace weft
