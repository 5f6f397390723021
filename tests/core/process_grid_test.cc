// The grid of processes itself: who is who, meetings, queues, and that nothing waits for ever.
#include "weft/core/process_grid.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "harness/errors.h"
#include "weft/base/error.h"

namespace weft {
namespace {

using processes::Contribution;
using std::chrono::milliseconds;
using testing::error_of;

std::vector<ProcessId> everybody(const ProcessGrid& grid) {
  std::vector<ProcessId> all;
  for (std::int64_t r = 0; r < grid.replicas(); ++r)
    for (std::int64_t p = 0; p < grid.partitions(); ++p) all.push_back({r, p});
  return all;
}

// Brings a number, and sums what all bring.
std::int32_t sum(const std::string& what, std::span<const ProcessId> group, std::int32_t mine) {
  const TensorView view{Aval(i32, {}), &mine};
  std::int32_t total = 0;
  processes::exchange(what, group, {&view, 1}, [&](std::span<const Contribution> all) {
    for (const Contribution& c : all) total += *c[0].as<std::int32_t>();
  });
  return total;
}

TEST(process_grid, without_a_grid_there_is_one_process) {
  EXPECT_EQ(processes::current(), ProcessId{});
  EXPECT_EQ(processes::replicas(), 1);
  EXPECT_EQ(processes::partitions(), 1);
  const ProcessId me[] = {{0, 0}};
  EXPECT_EQ(sum("test: ", me, 5), 5);
}

TEST(process_grid, every_process_runs_once_and_knows_who_it_is) {
  ProcessGrid grid(2, 3);
  std::mutex mutex;
  std::set<std::pair<std::int64_t, std::int64_t>> seen;
  grid.run([&](ProcessId id) {
    const std::lock_guard lock(mutex);
    EXPECT_EQ(processes::current(), id);
    EXPECT_EQ(processes::replicas(), 2);
    EXPECT_EQ(processes::partitions(), 3);
    seen.emplace(id.replica, id.partition);
  });
  EXPECT_EQ(seen.size(), 6u);
}

TEST(process_grid, a_group_meets_again_and_again) {
  ProcessGrid grid(4, 1);
  const auto all = everybody(grid);
  std::atomic<int> wrong = 0;
  grid.run([&](ProcessId id) {
    for (std::int32_t i = 0; i < 300; ++i)
      wrong += sum("test: ", all, i + static_cast<std::int32_t>(id.replica)) != 4 * i + 6;
  });
  EXPECT_EQ(wrong, 0);
}

TEST(process_grid, groups_that_do_not_overlap_do_not_disturb_each_other) {
  ProcessGrid grid(2, 2);
  std::atomic<int> wrong = 0;
  grid.run([&](ProcessId id) {
    const ProcessId row[] = {{id.replica, 0}, {id.replica, 1}};
    // Rows meet differently often.
    for (std::int64_t i = 0; i < 50 * (1 + id.replica); ++i)
      wrong += sum("test: ", row, 1 + static_cast<std::int32_t>(id.replica)) != 2 + 2 * id.replica;
  });
  EXPECT_EQ(wrong, 0);
}

TEST(process_grid, an_exception_in_one_process_ends_the_others_and_is_rethrown) {
  ProcessGrid grid(3, 1);
  const auto all = everybody(grid);
  for (int again = 0; again < 3; ++again)
    EXPECT_EQ(error_of([&] {
                grid.run([&](ProcessId id) {
                  if (id.replica == 1) throw std::runtime_error("broken");
                  sum("test: ", all, 1);
                });
              }),
              "another error: broken");
  // And the grid is as good as new.
  std::atomic<int> total = 0;
  grid.run([&](ProcessId) { total += sum("test: ", all, 1); });
  EXPECT_EQ(total, 9);
}

TEST(process_grid, an_exception_while_reading_lets_the_others_finish) {
  ProcessGrid grid(3, 1);
  const auto all = everybody(grid);
  EXPECT_EQ(error_of([&] {
              grid.run([&](ProcessId id) {
                const std::int32_t mine = 1;
                const TensorView view{Aval(i32, {}), &mine};
                processes::exchange("test: ", all, {&view, 1}, [&](std::span<const Contribution>) {
                  if (id.replica == 2) throw std::runtime_error("cannot read");
                });
              });
            }),
            "another error: cannot read");
}

TEST(process_grid, a_process_that_does_not_come_is_named_at_once) {
  ProcessGrid grid(2, 1, std::chrono::hours(1));
  const auto all = everybody(grid);
  EXPECT_EQ(
      error_of([&] {
        grid.run([&](ProcessId id) {
          if (id.replica == 0) sum("test: a sum", all, 1);
        });
      }),
      "BackendError: test: all processes of a group must take part; got process (replica 0, partition 0) waits in "
      "test: a sum; process (replica 1, partition 0) has ended.");
}

TEST(process_grid, processes_that_meet_for_different_things_are_told_so) {
  ProcessGrid grid(2, 1, std::chrono::hours(1));
  const auto all = everybody(grid);
  EXPECT_EQ(
      error_of([&] { grid.run([&](ProcessId id) { sum(id.replica ? "one: f32[2]" : "other: f32[3]", all, 1); }); }),
      "BackendError: other: all processes of a group must take part; got process (replica 0, partition 0) waits in "
      "other: f32[3]; process (replica 1, partition 0) waits in one: f32[2].");
}

TEST(process_grid, a_process_that_is_busy_elsewhere_for_too_long_is_an_error) {
  ProcessGrid grid(2, 1, milliseconds(50));
  const auto all = everybody(grid);
  std::atomic<bool> done = false;
  EXPECT_EQ(error_of([&] {
              grid.run([&](ProcessId id) {
                if (id.replica == 0) {
                  struct Done {
                    std::atomic<bool>& flag;
                    ~Done() { flag = true; }
                  } guard{done};
                  sum("test: a sum", all, 1);
                }
                while (!done) std::this_thread::yield();
                sum("test: a sum", all, 1);  // too late: what the other brought is gone
              });
            }),
            "BackendError: test: what a process waits for must come within 50 ms; got nothing from process (replica 1, "
            "partition 0) (process (replica 0, partition 0) waits in test: a sum; process (replica 1, partition 0) is "
            "running).");
}

TEST(process_grid, messages_wait_in_order_and_are_gone_with_the_run) {
  ProcessGrid grid(2, 1, milliseconds(100));
  grid.run([&](ProcessId id) {
    if (id.replica == 0)
      for (int i = 0; i < 3; ++i) processes::send_message("device test", {Array(i)});
    else
      for (int i = 0; i < 2; ++i)
        EXPECT_EQ(processes::receive_message("recv", "device test", false)[0].item<std::int32_t>(), i);
  });
  EXPECT_EQ(
      error_of([&] {
        grid.run([&](ProcessId id) {
          if (id.replica == 0) processes::receive_message("recv", "device test", false);
        });
      }),
      "BackendError: recv: what a process waits for must be sent by another one or by the host; got process (replica "
      "0, "
      "partition 0) waits in recv: device test; process (replica 1, partition 0) has ended, and nobody who sends.");
}

TEST(process_grid, the_host_may_feed_while_processes_wait) {
  ProcessGrid grid(1, 1);
  std::thread host([&] {
    std::this_thread::sleep_for(milliseconds(20));
    grid.host().feed({Array(7)});
    grid.host().send(3, {Array(8)});
  });
  grid.run([&](ProcessId) {
    EXPECT_EQ(processes::receive_message("infeed", processes::infeed_queue(), true)[0].item<std::int32_t>(), 7);
    EXPECT_EQ(processes::receive_message("recv", processes::host_channel(3), true)[0].item<std::int32_t>(), 8);
    processes::send_message(processes::outfeed_queue(), {Array(9)});
  });
  host.join();
  EXPECT_EQ(grid.host().take_outfeed()[0].item<std::int32_t>(), 9);
}

TEST(process_grid, a_host_that_feeds_nothing_is_an_error_in_time) {
  ProcessGrid grid(1, 1, milliseconds(30));
  EXPECT_EQ(
      error_of(
          [&] { grid.run([&](ProcessId) { processes::receive_message("infeed", processes::infeed_queue(), true); }); }),
      "BackendError: infeed: what a process waits for must come within 30 ms; got nothing from the infeed queue.");
  EXPECT_EQ(error_of([&] { grid.host().take_outfeed(); }),
            "BackendError: take_outfeed: what a process waits for must come within 30 ms; got nothing from the outfeed "
            "queue.");
}

TEST(process_grid, a_closed_host_keeps_nobody_waiting) {
  // Long enough that the test's own limit would be seen first.
  ProcessGrid grid(2, 1, std::chrono::minutes(10));
  grid.host().feed({Array(1)});
  grid.host().close();
  EXPECT_EQ(error_of([&] {
              grid.run([&](ProcessId) {
                for (int i = 0; i < 2; ++i) processes::receive_message("infeed", processes::infeed_queue(), true);
              });
            }).substr(0, 91),
            "BackendError: infeed: what a process waits for must be sent by another one or by the host; ");

  // Closed while they wait.
  ProcessGrid open(1, 1, std::chrono::minutes(10));
  std::thread host([&] {
    std::this_thread::sleep_for(milliseconds(20));
    open.host().close();
  });
  EXPECT_EQ(error_of([&] {
              open.run([](ProcessId) { processes::receive_message("recv", processes::host_channel(3), true); });
            }),
            "BackendError: recv: what a process waits for must be sent by another one or by the host; got process "
            "(replica 0, partition 0) waits in recv: host channel 3, and nobody who sends.");
  host.join();

  // What one process sends to the host, another one may receive.
  grid.run([](ProcessId id) {
    if (id.replica == 0)
      EXPECT_EQ(processes::receive_message("recv", processes::host_channel(4), true)[0].item<std::int32_t>(), 5);
    else
      processes::send_message(processes::host_channel(4), {Array(5)});
  });
}

TEST(process_grid, sizes_that_make_no_sense_are_refused) {
  EXPECT_EQ(error_of([] { ProcessGrid(0, 1); }),
            "ValueError: ProcessGrid: there must be 1 to 1024 processes; got 0 replicas of 1 partitions.");
  EXPECT_EQ(error_of([] { ProcessGrid(INT64_MAX, INT64_MAX); }),
            "ValueError: ProcessGrid: there must be 1 to 1024 processes; got 9223372036854775807 replicas of "
            "9223372036854775807 partitions.");
  ProcessGrid grid(1, 1);
  EXPECT_EQ(error_of([&] { grid.run([&](ProcessId) { grid.run([](ProcessId) {}); }); }),
            "ValueError: ProcessGrid::run: a grid must run one program at a time; got a second one.");
}

TEST(process_grid, a_process_may_have_a_grid_of_its_own) {
  ProcessGrid outer(2, 1);
  std::atomic<int> total = 0;
  outer.run([&](ProcessId id) {
    ProcessGrid inner(2, 1);
    const auto all = everybody(inner);
    inner.run([&](ProcessId) { total += sum("test: ", all, 1); });
    EXPECT_EQ(processes::current(), id);
    total += sum("test: ", everybody(outer), 10);
  });
  EXPECT_EQ(total, 8 + 40);
}

}  // namespace
}  // namespace weft
