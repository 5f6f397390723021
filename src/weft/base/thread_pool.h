// One pool of worker threads for the whole process, and the only way work is split over it.
// The pool knows index ranges, not what is computed on them.
// Invariant: which thread runs which range is unspecified, so a task's result may depend on
// the range it is given only in ways that its caller has fixed beforehand.
#pragma once

#include <cstdint>

#include "weft/base/function_ref.h"
#include "weft/base/location.h"

namespace weft {

/// Runs `body(begin, end)` over disjoint ranges that cover [0, n); every `begin` is a multiple of `grain`.
/// The caller takes part. Runs inline, as one range, when n <= grain, when the pool has one thread, inside
/// another parallel_for, or while another thread is using the pool. An exception of `body` ends the loop early
/// and is rethrown here (the first one, when several tasks throw).
void parallel_for(std::int64_t n, std::int64_t grain, FunctionRef<void(std::int64_t begin, std::int64_t end)> body);

/// The same where another thread waits for work and is still awake, which it is for a while after the last; inline, as
/// one range, else. For work that is worth a part of another thread's time, but not waking it (some 40 us).
void parallel_for_if_awake(std::int64_t n, std::int64_t grain,
                           FunctionRef<void(std::int64_t begin, std::int64_t end)> body);

/// Threads that parallel_for uses, the caller included: at first WEFT_NUM_THREADS if that environment variable
/// is set (ValueError unless it is a number in [1, 1024]), else the processors this process may run on, limited by its
/// cgroup's CPU quota.
int num_threads();

/// Sets num_threads(). Waits for parallel work of other threads to end. Throws ValueError when `n` is not in
/// [1, 1024] or when called from inside a parallel_for.
void set_num_threads(int n, SourceLocation loc = std::source_location::current());

}  // namespace weft
