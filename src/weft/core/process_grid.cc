#include "weft/core/process_grid.h"

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

namespace weft {

namespace detail {

// All of a grid under one mutex. A waiting process is woken by what it waits for, by the end of the grid (`ended_`), or
// by time.
class GridState {
 public:
  using Clock = std::chrono::steady_clock;

  GridState(std::int64_t replicas, std::int64_t partitions, std::chrono::milliseconds timeout)
      : replicas(replicas),
        partitions(partitions),
        timeout_(timeout),
        processes_(static_cast<std::size_t>(replicas * partitions)) {}

  const std::int64_t replicas, partitions;

  ProcessId id(std::size_t process) const {
    const auto p = static_cast<std::int64_t>(process);
    return {p / partitions, p % partitions};
  }
  std::size_t number(ProcessId id) const { return static_cast<std::size_t>(id.replica * partitions + id.partition); }

  void run(const std::function<void(ProcessId)>& f);
  void exchange(std::size_t me, const std::string& what, std::span<const ProcessId> group, processes::Contribution mine,
                FunctionRef<void(std::span<const processes::Contribution>)> use);
  void put(const std::string& name, Arrays values);
  /// `me` is the process that waits, none for the host and outside grids; `from_host`: the host might wake it.
  Arrays take(std::optional<std::size_t> me, const std::string& op, const std::string& name, bool from_host);
  void close();

 private:
  enum class Phase : std::uint8_t { kRunning, kWaiting, kEnded };
  struct Process {
    Phase phase = Phase::kEnded;
    std::string waits_in;                        // "all_reduce: f32[4], group ..."
    bool for_message = false;                    // and not for others to come to the same place
    std::map<std::string, std::int64_t> visits;  // of each meeting place
  };
  struct Meeting {
    std::vector<std::size_t> members;
    std::vector<std::optional<processes::Contribution>> brought;
    std::size_t arrived = 0, left = 0;
    bool complete() const { return arrived == members.size(); }
  };

  // With the mutex held: all below.
  void wait(std::unique_lock<std::mutex>& lock, std::optional<std::size_t> me, const std::string& what,
            FunctionRef<bool()> done, FunctionRef<std::string()> missing);
  void set_phase(std::size_t process, Phase phase);
  void look_for_deadlock();
  std::string who_waits() const;
  [[noreturn]] void give_up(const std::string& what) const;
  void end(std::exception_ptr error, const std::string& because);

  const std::chrono::milliseconds timeout_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Process> processes_;
  bool running_ = false;
  std::map<std::string, std::shared_ptr<Meeting>> meetings_;
  std::map<std::string, std::deque<Arrays>> queues_;
  bool closed_ = false;  // the host gives nothing more
  bool ended_ = false;   // by an error: nobody waits any more
  std::exception_ptr error_;
  std::string because_;
};

namespace {

struct Here {
  GridState* grid = nullptr;
  std::size_t process = 0;
};
constinit thread_local Here here{};

GridState& default_grid() {
  static GridState* const grid = new GridState(1, 1, std::chrono::seconds(30));  // outlives every static array
  return *grid;
}

GridState& grid_here() { return here.grid ? *here.grid : default_grid(); }

// The operation at the front of "all_reduce: f32[4]".
std::string op_of(const std::string& what) { return what.substr(0, what.find(':')); }

std::string seconds(std::chrono::milliseconds t) {
  const auto ms = t.count();
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

}  // namespace

void GridState::end(std::exception_ptr error, const std::string& because) {
  if (ended_) return;
  ended_ = true;
  error_ = std::move(error);
  because_ = because;
  changed_.notify_all();
}

std::string GridState::who_waits() const {
  std::string s;
  for (std::size_t p = 0; p < processes_.size(); ++p) {
    s += (s.empty() ? "" : "; ") + id(p).str();
    switch (processes_[p].phase) {
      case Phase::kRunning: s += " is running"; break;
      case Phase::kWaiting: s += " waits in " + processes_[p].waits_in; break;
      case Phase::kEnded: s += " has ended"; break;
    }
  }
  return s;
}

// Processes of which none runs wait for ever.
void GridState::look_for_deadlock() {
  if (!running_ || ended_) return;
  const Process* waiting = nullptr;
  for (const Process& p : processes_) {
    if (p.phase == Phase::kRunning) return;
    if (p.phase == Phase::kWaiting && !waiting) waiting = &p;
  }
  if (!waiting) return;
  const std::string op = op_of(waiting->waits_in);
  const BackendError error =
      waiting->for_message
          ? BackendError(op + ": what a process waits for must be sent by another one or by the host; got " +
                         who_waits() + ", and nobody who sends.")
          : BackendError(op + ": all processes of a group must take part; got " + who_waits() + ".",
                         "all processes must run the same collectives, in the same order and with equal shapes.");
  end(std::make_exception_ptr(error), "the processes wait for each other");
}

void GridState::set_phase(std::size_t process, Phase phase) {
  processes_[process].phase = phase;
  if (phase != Phase::kRunning) look_for_deadlock();
}

void GridState::wait(std::unique_lock<std::mutex>& lock, std::optional<std::size_t> me, const std::string& what,
                     FunctionRef<bool()> done, FunctionRef<std::string()> missing) {
  const auto deadline = Clock::now() + timeout_;
  if (me) processes_[*me].waits_in = what;
  while (!done()) {
    if (me && processes_[*me].phase != Phase::kWaiting) set_phase(*me, Phase::kWaiting);
    if (ended_ && running_) break;
    if (changed_.wait_until(lock, deadline) == std::cv_status::no_timeout || done() || ended_) continue;
    const BackendError error(op_of(what) + ": what a process waits for must come within " + seconds(timeout_) +
                             "; got nothing from " + missing() + ".");
    if (me) {
      end(std::make_exception_ptr(error), "another process waited too long");  // they would time out in turn
      set_phase(*me, Phase::kRunning);
    }
    throw error;
  }
  if (me) set_phase(*me, Phase::kRunning);
  if (!done()) give_up(what);
}

void GridState::give_up(const std::string& what) const {
  throw BackendError(op_of(what) + ": waiting was given up; got an end because " + because_ + ".");
}

void GridState::exchange(std::size_t me, const std::string& what, std::span<const ProcessId> group,
                         processes::Contribution mine,
                         FunctionRef<void(std::span<const processes::Contribution>)> use) {
  if (group.size() == 1) return use(std::span(&mine, 1));
  std::string key = what;
  for (const ProcessId p : group) key += " " + std::to_string(number(p));

  std::unique_lock lock(mutex_);
  // What others brought before may be gone with them.
  if (ended_) give_up(what);
  key += " #" + std::to_string(processes_[me].visits[key]++);
  std::shared_ptr<Meeting>& place = meetings_[key];
  if (!place) {
    place = std::make_shared<Meeting>();
    for (const ProcessId p : group) place->members.push_back(number(p));
    place->brought.resize(group.size());
  }
  processes_[me].for_message = false;
  const std::shared_ptr<Meeting> meeting = place;
  for (std::size_t i = 0; i < meeting->members.size(); ++i)
    if (meeting->members[i] == me) meeting->brought[i] = mine;
  ++meeting->arrived;
  if (meeting->complete()) {
    // They run from now on, whenever their threads notice.
    for (const std::size_t m : meeting->members) processes_[m].phase = Phase::kRunning;
    meetings_.erase(key);
    changed_.notify_all();
  } else {
    wait(
        lock, me, what, [&] { return meeting->complete(); },
        [&] {
          std::string s;
          for (std::size_t i = 0; i < meeting->members.size(); ++i)
            if (!meeting->brought[i]) s += (s.empty() ? "" : ", ") + id(meeting->members[i]).str();
          return s + " (" + who_waits() + ")";
        });
  }
  lock.unlock();

  std::exception_ptr error;
  try {
    std::vector<processes::Contribution> all;
    for (const auto& b : meeting->brought) all.push_back(*b);
    use(all);
  } catch (...) {
    error = std::current_exception();
  }
  // What this process brought must stay until everybody has read it. Reading ends by itself, so this is no wait for
  // others' programs.
  lock.lock();
  ++meeting->left;
  changed_.notify_all();
  changed_.wait(lock, [&] { return meeting->left == meeting->members.size(); });
  lock.unlock();
  if (error) std::rethrow_exception(error);
}

void GridState::put(const std::string& name, Arrays values) {
  const std::lock_guard lock(mutex_);
  queues_[name].push_back(std::move(values));
  // A process that waits for it runs from now on; if several do, those that find it gone wait again.
  for (Process& p : processes_)
    if (p.phase == Phase::kWaiting && p.waits_in.ends_with(": " + name)) p.phase = Phase::kRunning;
  changed_.notify_all();
}

void GridState::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

Arrays GridState::take(std::optional<std::size_t> me, const std::string& op, const std::string& name, bool from_host) {
  std::unique_lock lock(mutex_);
  const std::string what = op + ": " + name;
  if (me) processes_[*me].for_message = true;
  for (;;) {
    std::deque<Arrays>& queue = queues_[name];
    if (!queue.empty()) {
      Arrays values = std::move(queue.front());
      queue.pop_front();
      return values;
    }
    if (from_host && closed_ && !me)
      throw BackendError(op + ": what a process waits for must be sent by the host; got nothing from " + name +
                         ", and a host that sends nothing more.");
    // Whoever waits for the host waits for nobody in the grid, until the host is closed.
    const bool open = from_host && !closed_;
    wait(
        lock, open ? std::nullopt : me, what, [&] { return !queues_[name].empty() || (open && closed_); },
        [&] { return name; });
  }
}

void GridState::run(const std::function<void(ProcessId)>& f) {
  {
    const std::lock_guard lock(mutex_);
    if (running_) throw ValueError("ProcessGrid::run: a grid must run one program at a time; got a second one.");
    running_ = true;
    ended_ = false;
    error_ = nullptr;
    meetings_.clear();
    std::erase_if(queues_, [](const auto& queue) { return queue.first.starts_with("device"); });
    for (Process& p : processes_) p = {Phase::kRunning, {}, {}};
  }
  const auto body = [&](std::size_t p) {
    const Here outside = std::exchange(here, {this, p});
    std::exception_ptr error;
    try {
      f(id(p));
    } catch (...) {
      error = std::current_exception();
    }
    here = outside;
    const std::lock_guard lock(mutex_);
    if (error) end(error, id(p).str() + " failed");
    set_phase(p, Phase::kEnded);
  };
  std::vector<std::thread> threads;
  try {
    if (processes_.size() == 1)
      body(0);
    else
      for (std::size_t p = 0; p < processes_.size(); ++p) threads.emplace_back(body, p);
  } catch (const std::system_error& e) {
    const std::lock_guard lock(mutex_);
    end(std::make_exception_ptr(BackendError("ProcessGrid::run: there must be a thread per process; got \"" +
                                             std::string(e.what()) + "\" for " + id(threads.size()).str() + ".")),
        "there are not enough threads");
    for (std::size_t p = threads.size(); p < processes_.size(); ++p) processes_[p].phase = Phase::kEnded;
  }
  for (std::thread& t : threads) t.join();
  std::exception_ptr error;
  {
    const std::lock_guard lock(mutex_);
    running_ = false;
    error = std::exchange(error_, nullptr);
    ended_ = false;
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace detail

std::string ProcessId::str() const {
  return "process (replica " + std::to_string(replica) + ", partition " + std::to_string(partition) + ")";
}

namespace {

std::unique_ptr<detail::GridState> make_grid(std::int64_t replicas, std::int64_t partitions,
                                             std::chrono::milliseconds timeout) {
  constexpr std::int64_t kMost = 1024;
  if (replicas < 1 || partitions < 1 || replicas > kMost || partitions > kMost || replicas * partitions > kMost)
    throw ValueError("ProcessGrid: there must be 1 to 1024 processes; got " + std::to_string(replicas) +
                     " replicas of " + std::to_string(partitions) + " partitions.");
  return std::make_unique<detail::GridState>(replicas, partitions, timeout);
}

}  // namespace

ProcessGrid::ProcessGrid(std::int64_t replicas, std::int64_t partitions, std::chrono::milliseconds timeout)
    : state_(make_grid(replicas, partitions, timeout)), host_(state_.get()) {}
ProcessGrid::~ProcessGrid() = default;
std::int64_t ProcessGrid::replicas() const { return state_->replicas; }
std::int64_t ProcessGrid::partitions() const { return state_->partitions; }
void ProcessGrid::run(const std::function<void(ProcessId)>& f) { state_->run(f); }

HostQueues& default_host() {
  static HostQueues host(&detail::default_grid());
  return host;
}

void HostQueues::feed(Arrays values) { state_->put(processes::infeed_queue(), std::move(values)); }
Arrays HostQueues::take_outfeed() { return state_->take({}, "take_outfeed", processes::outfeed_queue(), false); }
void HostQueues::send(std::int64_t channel, Arrays values) {
  state_->put(processes::host_channel(channel), std::move(values));
}
Arrays HostQueues::receive(std::int64_t channel) {
  return state_->take({}, "receive", processes::host_channel(channel), false);
}
void HostQueues::close() { state_->close(); }

namespace processes {

ProcessId current() { return detail::grid_here().id(detail::here.process); }
std::int64_t replicas() { return detail::grid_here().replicas; }
std::int64_t partitions() { return detail::grid_here().partitions; }

void exchange(const std::string& what, std::span<const ProcessId> group, Contribution mine,
              FunctionRef<void(std::span<const Contribution>)> use) {
  detail::grid_here().exchange(detail::here.process, what, group, mine, use);
}

void send_message(const std::string& name, Arrays values) { detail::grid_here().put(name, std::move(values)); }

Arrays receive_message(const std::string& op, const std::string& name, bool from_host) {
  const auto me = detail::here.grid ? std::optional<std::size_t>(detail::here.process) : std::nullopt;
  return detail::grid_here().take(me, op, name, from_host);
}

std::string device_queue(std::int64_t channel, std::int64_t source, std::int64_t target) {
  return "device channel " + std::to_string(channel) + " from " + std::to_string(source) + " to " +
         std::to_string(target);
}
std::string infeed_queue() { return "the infeed queue"; }
std::string outfeed_queue() { return "the outfeed queue"; }
std::string host_channel(std::int64_t channel) { return "host channel " + std::to_string(channel); }

}  // namespace processes

}  // namespace weft
