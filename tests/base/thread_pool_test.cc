#include "weft/base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "weft/base/error.h"

namespace weft {
namespace {

class ThreadPool : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override { set_num_threads(GetParam()); }
  void TearDown() override { set_num_threads(before_); }
  int before_ = num_threads();
};

TEST_P(ThreadPool, every_index_is_visited_once) {
  for (const std::int64_t n : {0, 1, 2, 63, 64, 65, 1000, 4097}) {
    for (const std::int64_t grain : {1, 64, 5000}) {
      std::vector<std::atomic<int>> visits(static_cast<std::size_t>(n));
      parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
        EXPECT_LT(begin, end);
        EXPECT_EQ(begin % grain, 0);
        for (std::int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
      });
      for (const auto& v : visits) EXPECT_EQ(v.load(), 1);
    }
  }
}

TEST_P(ThreadPool, work_for_threads_that_are_awake_is_done_whether_they_are_or_not) {
  for (int round = 0; round < 100; ++round) {
    // Workers are awake after work, and asleep after a while.
    if (round % 10 == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    else
      parallel_for(4, 1, [](std::int64_t, std::int64_t) {});
    std::vector<std::atomic<int>> visits(1000);
    parallel_for_if_awake(1000, 8, [&](std::int64_t begin, std::int64_t end) {
      EXPECT_EQ(begin % 8, 0);
      for (std::int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
    });
    for (const auto& v : visits) ASSERT_EQ(v.load(), 1);
  }
}

TEST_P(ThreadPool, ranges_get_shorter_towards_the_end) {
  constexpr std::int64_t kGrain = 3, kCount = 3 * 10000 + 1;
  std::mutex mutex;
  std::map<std::int64_t, std::int64_t> ranges;  // lengths by where they begin
  parallel_for(kCount, kGrain, [&](std::int64_t begin, std::int64_t end) {
    const std::lock_guard lock(mutex);
    ranges[begin] = end - begin;
  });
  std::int64_t at = 0, last = kCount;
  for (const auto& [begin, length] : ranges) {
    EXPECT_EQ(begin, at);
    EXPECT_LE(length, last);
    at = begin + length;
    last = length;
  }
  EXPECT_EQ(at, kCount);
  if (GetParam() == 1) return;
  EXPECT_LE(ranges.begin()->second, kCount / (4 * GetParam()) + kGrain);
  EXPECT_LE(ranges.rbegin()->second, kGrain);
}

TEST_P(ThreadPool, nobody_is_woken_for_little_work) {
  parallel_for(4, 1, [](std::int64_t, std::int64_t) {});
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  int ranges = 0;
  parallel_for_if_awake(1000, 1, [&](std::int64_t begin, std::int64_t end) {
    ++ranges;
    EXPECT_EQ(end - begin, 1000);
  });
  EXPECT_EQ(ranges, 1);
}

TEST_P(ThreadPool, those_that_are_awake_take_part) {
  if (GetParam() == 1) GTEST_SKIP() << "there is nobody else";
  const auto busy = [] {
    const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(50);
    while (std::chrono::steady_clock::now() < end) {
    }
  };
  // Whether a worker runs at a given moment is the system's to say.
  bool seen = false;
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!seen && std::chrono::steady_clock::now() < give_up) {
    parallel_for(16, 1, [&](std::int64_t, std::int64_t) { busy(); });
    std::atomic<int> others{0};
    const std::thread::id here = std::this_thread::get_id();
    parallel_for_if_awake(64, 1, [&](std::int64_t, std::int64_t) {
      others += std::this_thread::get_id() != here;
      busy();
    });
    seen = others > 0;
  }
  EXPECT_TRUE(seen);
}

TEST_P(ThreadPool, writes_of_tasks_are_seen_by_the_caller) {
  std::vector<std::int64_t> out(10000);
  for (int round = 0; round < 200; ++round) {
    parallel_for(10000, 16, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) out[static_cast<std::size_t>(i)] = i + round;
    });
    for (std::int64_t i = 0; i < 10000; i += 999) ASSERT_EQ(out[static_cast<std::size_t>(i)], i + round);
  }
}

TEST_P(ThreadPool, an_exception_reaches_the_caller_and_the_pool_goes_on) {
  for (int round = 0; round < 20; ++round) {
    EXPECT_THROW(parallel_for(1000, 1,
                              [&](std::int64_t begin, std::int64_t) {
                                if (begin >= 100 || GetParam() == 1) throw std::runtime_error("task");
                              }),
                 std::runtime_error);
    std::atomic<std::int64_t> sum{0};
    parallel_for(1000, 1, [&](std::int64_t begin, std::int64_t end) { sum += end - begin; });
    EXPECT_EQ(sum.load(), 1000);
  }
}

TEST_P(ThreadPool, nested_calls_run_inline) {
  std::atomic<int> inner_calls{0};
  parallel_for(64, 1, [&](std::int64_t begin, std::int64_t end) {
    const auto outer_thread = std::this_thread::get_id();
    for (std::int64_t i = begin; i < end; ++i) {
      parallel_for(100, 1, [&](std::int64_t b, std::int64_t e) {
        EXPECT_EQ(std::this_thread::get_id(), outer_thread);
        EXPECT_EQ(b, 0);
        EXPECT_EQ(e, 100);
        ++inner_calls;
      });
    }
  });
  EXPECT_EQ(inner_calls.load(), 64);
}

TEST_P(ThreadPool, several_threads_may_call_at_once) {
  std::vector<std::thread> callers;
  std::atomic<std::int64_t> total{0};
  for (int t = 0; t < 3; ++t) {
    callers.emplace_back([&] {
      for (int round = 0; round < 100; ++round)
        parallel_for(256, 8, [&](std::int64_t begin, std::int64_t end) { total += end - begin; });
    });
  }
  for (std::thread& c : callers) c.join();
  EXPECT_EQ(total.load(), 3 * 100 * 256);
}

INSTANTIATE_TEST_SUITE_P(threads, ThreadPool, ::testing::Values(1, 2, 3));

TEST(thread_pool, small_work_stays_on_the_calling_thread) {
  const auto me = std::this_thread::get_id();
  parallel_for(64, 64, [&](std::int64_t begin, std::int64_t end) {
    EXPECT_EQ(std::this_thread::get_id(), me);
    EXPECT_EQ(begin, 0);
    EXPECT_EQ(end, 64);
  });
}

TEST(thread_pool, the_number_of_threads_is_checked) {
  const int before = num_threads();
  EXPECT_GE(before, 1);
  EXPECT_THROW(set_num_threads(0), ValueError);
  EXPECT_THROW(set_num_threads(-3), ValueError);
  EXPECT_THROW(set_num_threads(5000), ValueError);
  EXPECT_EQ(num_threads(), before);
  set_num_threads(2);
  EXPECT_EQ(num_threads(), 2);
  EXPECT_THROW(parallel_for(10, 1, [](std::int64_t, std::int64_t) { set_num_threads(1); }), ValueError);
  set_num_threads(before);
}

}  // namespace
}  // namespace weft
