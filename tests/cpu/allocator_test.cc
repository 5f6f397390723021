#include "weft/cpu/allocator.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "weft/base/error.h"

namespace weft::cpu {
namespace {

struct Block {
  unsigned char* p;
  std::size_t bytes;
  unsigned char mark;
};

bool intact(const Block& b) {
  for (std::size_t i = 0; i < b.bytes; i += b.bytes > 4096 ? 509 : 1)
    if (b.p[i] != b.mark) return false;
  return b.bytes == 0 || b.p[b.bytes - 1] == b.mark;
}

void churn(unsigned seed, int steps) {
  std::mt19937 rng(seed);
  std::vector<Block> live;
  for (int i = 0; i < steps; ++i) {
    if (live.size() < 50 || rng() % 2) {
      const std::size_t bytes = rng() % 20 == 0 ? rng() % 3000000 : rng() % 5000;
      Block b{static_cast<unsigned char*>(allocate(bytes)), bytes, static_cast<unsigned char>(rng())};
      ASSERT_EQ(reinterpret_cast<std::uintptr_t>(b.p) % kAlignment, 0u);
      std::memset(b.p, b.mark, b.bytes);
      live.push_back(b);
    } else {
      const std::size_t k = rng() % live.size();
      ASSERT_TRUE(intact(live[k]));
      deallocate(live[k].p, live[k].bytes);
      live[k] = live.back();
      live.pop_back();
    }
  }
  for (const Block& b : live) {
    ASSERT_TRUE(intact(b));
    deallocate(b.p, b.bytes);
  }
}

TEST(allocator, blocks_of_every_size_are_aligned_and_do_not_overlap) {
  const std::int64_t before = allocator_stats().live_bytes;
  churn(1, 20000);
  EXPECT_EQ(allocator_stats().live_bytes, before);
}

TEST(allocator, every_size_up_to_the_first_large_ones_holds_its_bytes) {
  for (std::size_t bytes = 0; bytes < 70000; bytes += bytes < 3000 ? 1 : 61) {
    auto* p = static_cast<unsigned char*>(allocate(bytes));
    std::memset(p, 0xab, bytes);
    deallocate(p, bytes);
  }
}

TEST(allocator, a_returned_block_is_reused) {
  for (const std::size_t bytes : {std::size_t{40}, std::size_t{4000}, std::size_t{5} << 20}) {
    void* p = allocate(bytes);
    deallocate(p, bytes);
    void* q = allocate(bytes);
    EXPECT_EQ(p, q) << bytes;
    deallocate(q, bytes);
  }
}

TEST(allocator, threads_may_return_each_others_blocks) {
  const std::int64_t before = allocator_stats().live_bytes;
  std::vector<Block> blocks;
  std::thread producer([&] {
    for (int i = 0; i < 3000; ++i) {
      const std::size_t bytes = static_cast<std::size_t>(i % 700);
      blocks.push_back({static_cast<unsigned char*>(allocate(bytes)), bytes, static_cast<unsigned char>(i)});
      std::memset(blocks.back().p, i & 255, bytes);
    }
  });
  producer.join();
  EXPECT_GT(allocator_stats().live_bytes, before);
  std::thread consumer([&] {
    for (const Block& b : blocks) {
      EXPECT_TRUE(intact(b));
      deallocate(b.p, b.bytes);
    }
  });
  consumer.join();
  EXPECT_EQ(allocator_stats().live_bytes, before);
}

TEST(allocator, the_memory_of_ended_threads_is_used_again) {
  const auto work = [] {
    std::vector<void*> all;
    for (int i = 0; i < 2000; ++i) all.push_back(allocate(1000));
    for (void* p : all) deallocate(p, 1000);
  };
  std::thread(work).join();
  const std::int64_t taken = allocator_stats().system_bytes;
  for (int i = 0; i < 20; ++i) std::thread(work).join();
  EXPECT_EQ(allocator_stats().system_bytes, taken);
}

TEST(allocator, many_threads_at_once) {
  const std::int64_t before = allocator_stats().live_bytes;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) threads.emplace_back([t] { churn(100 + t, 5000); });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(allocator_stats().live_bytes, before);
}

TEST(allocator, the_peak_is_the_largest_live_sum) {
  reset_peak();
  const std::int64_t before = allocator_stats().live_bytes;
  EXPECT_EQ(allocator_stats().peak_bytes, before);
  constexpr std::size_t kBytes = 1 << 20;
  void* a = allocate(kBytes);
  void* b = allocate(kBytes);
  deallocate(a, kBytes);
  void* c = allocate(kBytes);
  AllocatorStats s = allocator_stats();
  EXPECT_EQ(s.live_bytes, before + 2 * static_cast<std::int64_t>(kBytes));
  EXPECT_EQ(s.peak_bytes, before + 2 * static_cast<std::int64_t>(kBytes));
  deallocate(b, kBytes);
  deallocate(c, kBytes);
  EXPECT_EQ(allocator_stats().peak_bytes, before + 2 * static_cast<std::int64_t>(kBytes));
  reset_peak();
  EXPECT_EQ(allocator_stats().peak_bytes, before);
}

TEST(allocator, the_cache_keeps_to_its_limit) {
  const AllocatorStats start = allocator_stats();
  trim();
  EXPECT_EQ(allocator_stats().cached_bytes, 0);
  constexpr std::size_t kBytes = 4 << 20;
  std::vector<void*> blocks;
  for (int i = 0; i < 6; ++i) blocks.push_back(allocate(kBytes));
  set_cache_limit(2 * kBytes);
  for (void* p : blocks) deallocate(p, kBytes);
  EXPECT_EQ(allocator_stats().cached_bytes, static_cast<std::int64_t>(2 * kBytes));
  trim();
  EXPECT_EQ(allocator_stats().cached_bytes, 0);
  EXPECT_EQ(allocator_stats().live_bytes, start.live_bytes);
  set_cache_limit(std::size_t{1} << 32);
}

TEST(allocator, refused_memory_is_an_error_naming_the_size) {
  const std::size_t bytes = std::size_t{1} << 50;
  try {
    allocate(bytes);
    FAIL() << "a petabyte was granted";
  } catch (const BackendError& e) {
    EXPECT_EQ(e.message(),
              "allocate: the system must have enough memory; got a request for 1125899906842624 bytes "
              "that it refused.");
  }
  EXPECT_THROW(allocate(~std::size_t{0}), BackendError);
}

}  // namespace
}  // namespace weft::cpu
