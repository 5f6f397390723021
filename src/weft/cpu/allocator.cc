// Two halves. Small blocks (up to 32 KiB) are carved from slabs and pass through a list per thread and size class,
// so the common pair of calls takes no lock. Larger blocks are mappings of their own, kept by size class.
// Invariant: the size class is a function of the size alone, so blocks carry no header.
#include "weft/cpu/allocator.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "weft/base/error.h"

#if defined(__SANITIZE_ADDRESS__)
#define WEFT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEFT_ASAN 1
#endif
#endif
#ifdef WEFT_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace weft::cpu {
namespace {

constexpr std::size_t kSmallLimit = 32 << 10;
constexpr std::size_t kSlabBytes = 1 << 20;
constexpr std::size_t kHugePage = 2 << 20;
constexpr std::int64_t kFlushBytes = 64 << 10;
// 64, 128, 192, 256, then four classes per doubling up to 32 KiB.
constexpr int kSmallClasses = 4 + 4 * 7;

// Cached memory reads as an error under the address sanitizer, except for the link in its first eight bytes.
void mark_free([[maybe_unused]] void* p, [[maybe_unused]] std::size_t bytes) {
#ifdef WEFT_ASAN
  __asan_poison_memory_region(static_cast<char*>(p) + 8, bytes - 8);
#endif
}
void mark_used([[maybe_unused]] void* p, [[maybe_unused]] std::size_t bytes) {
#ifdef WEFT_ASAN
  __asan_unpoison_memory_region(p, bytes);
#endif
}

// Rounds up to one of `1 << bits` sizes per doubling.
constexpr std::size_t round_class(std::size_t bytes, int bits) {
  const int top = std::bit_width(bytes - 1);
  const std::size_t step = std::size_t{1} << (top > bits + 1 ? top - 1 - bits : 0);
  return (bytes + step - 1) & ~(step - 1);
}
constexpr int small_class(std::size_t bytes) {
  if (bytes <= 256) return bytes == 0 ? 0 : static_cast<int>((bytes - 1) >> 6);
  const int top = std::bit_width(bytes - 1) - 1;  // 8 .. 14
  return 4 * (top - 7) + static_cast<int>(((bytes - 1) >> (top - 2)) & 3);
}
constexpr std::size_t small_size(int c) {
  if (c < 4) return static_cast<std::size_t>(c + 1) << 6;
  const int top = c / 4 + 7;
  return static_cast<std::size_t>(4 + c % 4 + 1) << (top - 2);
}
static_assert(small_class(kSmallLimit) == kSmallClasses - 1 && small_size(kSmallClasses - 1) == kSmallLimit);
static_assert(small_class(257) == 4 && small_size(4) == 320 && small_class(320) == 4 && small_class(321) == 5);

struct Link {
  Link* next;
};
struct FreeList {
  Link* head = nullptr;
  std::uint32_t count = 0;
  void push(Link* b) {
    b->next = head;
    head = b;
    ++count;
  }
  Link* pop() {
    Link* b = head;
    head = b->next;
    --count;
    return b;
  }
};
// How many blocks move between a thread and the common lists at once.
constexpr std::uint32_t batch_of(int c) {
  return static_cast<std::uint32_t>(std::clamp<std::size_t>((16 << 10) / small_size(c), 2, 64));
}

[[noreturn]] void out_of_memory(std::size_t bytes) {
  throw BackendError("allocate: the system must have enough memory; got a request for " + std::to_string(bytes) +
                     " bytes that it refused.");
}

// What a thread keeps. `live` is written by its thread alone and read by allocator_stats().
struct ThreadCache {
  std::array<FreeList, kSmallClasses> lists;
  std::atomic<std::int64_t> live{0};
};

class Heap {
 public:
  // ---- small blocks ----
  void register_thread(ThreadCache* c) {
    std::lock_guard lock(mutex_);
    threads_.push_back(c);
  }
  void unregister_thread(ThreadCache* c) noexcept {
    std::lock_guard lock(mutex_);
    for (int k = 0; k < kSmallClasses; ++k)
      while (c->lists[k].head) common_[k].push(c->lists[k].pop());
    add_live(c->live.load(std::memory_order_relaxed));
    std::erase(threads_, c);
  }
  void refill(FreeList& list, int c, std::uint32_t want) {
    std::lock_guard lock(mutex_);
    const std::size_t size = small_size(c);
    while (list.count < want) {
      if (!common_[c].head && !carve(c, size)) {
        if (list.count > 0) return;
        out_of_memory(size);
      }
      list.push(common_[c].pop());
    }
  }
  void take_back(FreeList& list, int c, std::uint32_t how_many) noexcept {
    std::lock_guard lock(mutex_);
    for (; how_many > 0 && list.head; --how_many) common_[c].push(list.pop());
  }

  // ---- large blocks ----
  static std::size_t large_size(std::size_t bytes) {
    if (bytes > (std::size_t{1} << 62)) out_of_memory(bytes);
    return (round_class(bytes, 3) + 4095) & ~std::size_t{4095};
  }
  void* take(std::size_t bytes) {
    const std::size_t size = large_size(bytes);
    {
      std::lock_guard lock(mutex_);
      const auto found = cached_.find(size);
      if (found != cached_.end() && !found->second.empty()) {
        const Entry e = found->second.back();
        found->second.pop_back();
        order_.erase(e.age);
        cached_bytes_ -= static_cast<std::int64_t>(size);
        add_live(static_cast<std::int64_t>(size));
        mark_used(e.block, size);
        return e.block;
      }
    }
    void* p = map(size);
    if (!p) {
      trim(0);
      p = map(size);
      if (!p) out_of_memory(bytes);
    }
    std::lock_guard lock(mutex_);
    system_bytes_ += static_cast<std::int64_t>(size);
    add_live(static_cast<std::int64_t>(size));
    return p;
  }
  void give(void* p, std::size_t bytes) noexcept {
    const std::size_t size = large_size(bytes);
    bool kept = false;
    std::size_t limit;
    bool over;
    {
      std::lock_guard lock(mutex_);
      limit = cache_limit_;
      add_live(-static_cast<std::int64_t>(size));
      if (size <= cache_limit_) {
        try {
          std::vector<Entry>& blocks = cached_[size];
          blocks.reserve(blocks.size() + 1);
          order_.push_back({p, size});
          blocks.push_back({p, std::prev(order_.end())});
          kept = true;
          cached_bytes_ += static_cast<std::int64_t>(size);
          mark_free(p, size);
        } catch (const std::bad_alloc&) {
          // No memory for the book-keeping: the block goes back to the system.
        }
      }
      if (!kept) system_bytes_ -= static_cast<std::int64_t>(size);
      over = cached_bytes_ > static_cast<std::int64_t>(limit);
    }
    if (!kept) unmap(p, size);
    if (over) trim(limit);
  }
  void trim(std::size_t keep) noexcept {
    // Oldest first: what was returned last is most likely to be asked for again.
    std::list<Old> dead;
    {
      std::lock_guard lock(mutex_);
      while (!order_.empty() && cached_bytes_ > static_cast<std::int64_t>(keep)) {
        const Old old = order_.front();
        std::vector<Entry>& blocks = cached_.find(old.size)->second;
        blocks.erase(std::find_if(blocks.begin(), blocks.end(), [&](const Entry& e) { return e.block == old.block; }));
        if (blocks.empty()) cached_.erase(old.size);
        dead.splice(dead.end(), order_, order_.begin());
        cached_bytes_ -= static_cast<std::int64_t>(old.size);
        system_bytes_ -= static_cast<std::int64_t>(old.size);
      }
    }
    for (const Old& old : dead) {
      mark_used(old.block, old.size);
      unmap(old.block, old.size);
    }
  }
  void set_limit(std::size_t bytes) {
    {
      std::lock_guard lock(mutex_);
      cache_limit_ = bytes;
    }
    trim(bytes);
  }

  // ---- statistics ----
  void flush(std::int64_t delta) noexcept {
    std::lock_guard lock(mutex_);
    add_live(delta);
  }
  AllocatorStats stats() {
    std::lock_guard lock(mutex_);
    AllocatorStats s;
    s.live_bytes = exact_live();
    s.peak_bytes = std::max(peak_, s.live_bytes);
    s.cached_bytes = cached_bytes_;
    s.system_bytes = system_bytes_;
    return s;
  }
  void reset_peak() {
    std::lock_guard lock(mutex_);
    peak_ = exact_live();
  }

 private:
  struct Old {
    void* block;
    std::size_t size;
  };
  struct Entry {
    void* block;
    std::list<Old>::iterator age;
  };

  std::int64_t exact_live() const {
    std::int64_t live = live_;
    for (const ThreadCache* c : threads_) live += c->live.load(std::memory_order_relaxed);
    return live;
  }
  void add_live(std::int64_t delta) {
    live_ += delta;
    peak_ = std::max(peak_, live_);
  }
  // Puts one block of class `c` on the common list, cut from the current slab.
  bool carve(int c, std::size_t size) {
    if (slab_left_ < size) {
      // What is left of the old slab becomes blocks of the largest classes that fit.
      while (slab_left_ >= kAlignment) {
        int k = small_class(std::min(slab_left_, kSmallLimit));
        if (small_size(k) > slab_left_) --k;
        cut(k, small_size(k));
      }
      void* p = map(kSlabBytes);
      if (!p) return false;
      system_bytes_ += kSlabBytes;
      slab_ = static_cast<char*>(p);
      slab_left_ = kSlabBytes;
    }
    cut(c, size);
    return true;
  }
  void cut(int c, std::size_t size) {
    Link* b = reinterpret_cast<Link*>(slab_);
    slab_ += size;
    slab_left_ -= size;
    common_[c].push(b);
    mark_free(b, size);
  }

  static void* map(std::size_t size) noexcept {
    const bool huge = size >= kHugePage;
    const std::size_t extra = huge ? kHugePage : 0;
    void* got = mmap(nullptr, size + extra, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (got == MAP_FAILED) return nullptr;
    char* p = static_cast<char*>(got);
    if (huge) {
      char* aligned = reinterpret_cast<char*>((reinterpret_cast<std::uintptr_t>(p) + kHugePage - 1) & ~(kHugePage - 1));
      if (aligned > p) munmap(p, static_cast<std::size_t>(aligned - p));
      const std::size_t tail = static_cast<std::size_t>(p + extra - aligned);
      if (tail) munmap(aligned + size, tail);
      p = aligned;
#ifdef MADV_HUGEPAGE
      madvise(p, size, MADV_HUGEPAGE);
#endif
    }
    return p;
  }
  static void unmap(void* p, std::size_t size) noexcept { munmap(p, size); }
  static std::size_t default_limit() {
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? static_cast<std::size_t>(pages) / 4 * static_cast<std::size_t>(page) : 1u << 30;
  }

  std::mutex mutex_;  // guards everything below
  std::array<FreeList, kSmallClasses> common_;
  char* slab_ = nullptr;
  std::size_t slab_left_ = 0;
  std::map<std::size_t, std::vector<Entry>> cached_;
  std::list<Old> order_;  // all cached blocks, oldest first
  std::vector<ThreadCache*> threads_;
  std::int64_t live_ = 0, peak_ = 0, cached_bytes_ = 0, system_bytes_ = 0;
  std::size_t cache_limit_ = default_limit();
};

// Never destroyed: arrays in static storage return their memory while the process exits.
Heap& heap() {
  static Heap* const h = new Heap;
  return *h;
}

// Null before a thread's first allocation and after its last destructor.
#if defined(__GNUC__) && defined(__linux__)
[[gnu::tls_model("initial-exec")]]
#endif
thread_local ThreadCache* current = nullptr;
thread_local bool ended = false;

struct ThreadCacheOwner {
  ThreadCache cache;
  ThreadCacheOwner() { heap().register_thread(&cache); }
  ~ThreadCacheOwner() {
    current = nullptr;
    ended = true;
    heap().unregister_thread(&cache);
  }
};

ThreadCache* enter_thread() {
  if (ended) return nullptr;
  thread_local ThreadCacheOwner owner;
  current = &owner.cache;
  return current;
}

// One writer, so no read-modify-write instruction is needed.
void count(ThreadCache* c, std::int64_t delta) noexcept {
  const std::int64_t live = c->live.load(std::memory_order_relaxed) + delta;
  if (live > kFlushBytes || live < -kFlushBytes) [[unlikely]] {
    c->live.store(0, std::memory_order_relaxed);
    heap().flush(live);
    return;
  }
  c->live.store(live, std::memory_order_relaxed);
}

[[gnu::noinline]] void* allocate_small_slow(int c) {
  ThreadCache* cache = current ? current : enter_thread();
  if (!cache) {
    FreeList one;
    heap().refill(one, c, 1);
    heap().flush(static_cast<std::int64_t>(small_size(c)));
    void* p = one.pop();
    mark_used(p, small_size(c));
    return p;
  }
  FreeList& list = cache->lists[static_cast<std::size_t>(c)];
  if (!list.head) heap().refill(list, c, batch_of(c));
  void* p = list.pop();
  mark_used(p, small_size(c));
  count(cache, static_cast<std::int64_t>(small_size(c)));
  return p;
}

[[gnu::noinline]] void deallocate_small_slow(void* block, int c) noexcept {
  ThreadCache* cache = current ? current : enter_thread();
  Link* b = static_cast<Link*>(block);
  if (!cache) {
    FreeList one;
    one.push(b);
    mark_free(b, small_size(c));
    heap().take_back(one, c, 1);
    heap().flush(-static_cast<std::int64_t>(small_size(c)));
    return;
  }
  FreeList& list = cache->lists[static_cast<std::size_t>(c)];
  list.push(b);
  mark_free(b, small_size(c));
  if (list.count > 2 * batch_of(c)) heap().take_back(list, c, batch_of(c));
  count(cache, -static_cast<std::int64_t>(small_size(c)));
}

}  // namespace

void* allocate(std::size_t bytes) {
  if (bytes > kSmallLimit) return heap().take(bytes);
  const int c = small_class(bytes);
  ThreadCache* cache = current;
  if (cache) [[likely]] {
    FreeList& list = cache->lists[static_cast<std::size_t>(c)];
    if (list.head) [[likely]] {
      void* p = list.pop();
      mark_used(p, small_size(c));
      count(cache, static_cast<std::int64_t>(small_size(c)));
      return p;
    }
  }
  return allocate_small_slow(c);
}

void deallocate(void* block, std::size_t bytes) noexcept {
  if (!block) return;
  if (bytes > kSmallLimit) {
    heap().give(block, bytes);
    return;
  }
  const int c = small_class(bytes);
  ThreadCache* cache = current;
  if (cache) [[likely]] {
    FreeList& list = cache->lists[static_cast<std::size_t>(c)];
    if (list.count < 2 * batch_of(c)) [[likely]] {
      list.push(static_cast<Link*>(block));
      mark_free(block, small_size(c));
      count(cache, -static_cast<std::int64_t>(small_size(c)));
      return;
    }
  }
  deallocate_small_slow(block, c);
}

AllocatorStats allocator_stats() { return heap().stats(); }
void reset_peak() { heap().reset_peak(); }
void trim() { heap().trim(0); }
void set_cache_limit(std::size_t bytes) { heap().set_limit(bytes); }

}  // namespace weft::cpu
