// Memory for array data: 64-byte aligned blocks, cached so that a repeated size costs no system call and no
// page fault. The allocator knows sizes, not what is stored.
// Invariant: a block is returned with the size it was asked for; any thread may return it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weft::cpu {

inline constexpr std::size_t kAlignment = 64;

/// Returns at least `bytes` uninitialised bytes, 64-byte aligned; never null. Throws BackendError naming the size
/// when the system has no more memory.
void* allocate(std::size_t bytes);

/// Returns a block of allocate(bytes). A null `block` is ignored.
void deallocate(void* block, std::size_t bytes) noexcept;

struct AllocatorStats {
  std::int64_t live_bytes = 0;    // asked for and not returned, rounded up to the sizes handed out
  std::int64_t peak_bytes = 0;    // the largest live_bytes since reset_peak()
  std::int64_t cached_bytes = 0;  // returned blocks above 32 KiB, kept for reuse
  std::int64_t system_bytes = 0;  // taken from the system: live, cached, and slabs of small blocks
};

/// Blocks up to 32 KiB count towards the peak in steps of 64 KiB per thread; live_bytes is exact.
AllocatorStats allocator_stats();

/// Starts a new measurement of the peak from what is live now.
void reset_peak();

/// Gives cached blocks above 32 KiB back to the system. Slabs of small blocks are kept.
void trim();

/// Sets how many bytes of returned blocks above 32 KiB may be kept; at first a quarter of the machine's memory.
void set_cache_limit(std::size_t bytes);

}  // namespace weft::cpu
