#include "testing/traces.h"

#include <map>
#include <mutex>

namespace weft::testing {

struct detail::TraceCounter {
  std::int64_t count = 0;
  std::string last;  // the types of the last arguments
};

namespace {

std::mutex mutex;
// Counters stay where they are: functions hold their addresses.
std::map<std::string, detail::TraceCounter>& counters() {
  static auto* all = new std::map<std::string, detail::TraceCounter>;
  return *all;
}

std::string times(std::int64_t n) { return n == 1 ? "once" : std::to_string(n) + " times"; }

}  // namespace

detail::TraceCounter& detail::trace_counter(const SourceLocation& loc, const std::type_info& function) {
  const std::scoped_lock lock(mutex);
  return counters()[std::string(loc.file) + ":" + std::to_string(loc.line) + ":" + function.name()];
}

void detail::count_trace(TraceCounter& counter, std::int64_t most, const std::string& arguments,
                         const SourceLocation& loc) {
  std::int64_t count;
  std::string before;
  {
    const std::scoped_lock lock(mutex);
    count = ++counter.count;
    before = std::exchange(counter.last, arguments);
  }
  if (count <= most || !asserts_enabled()) return;
  const std::string now = arguments.empty() ? "no arrays" : arguments;
  fail("assert_max_traces", "the function must be traced at most " + times(most),
       "trace " + std::to_string(count) + ", for " + now + (count > 1 ? " after " + before : ""), loc,
       before == arguments && count > 1
           ? "a function that is made anew in each call, or a new jit of it, is traced anew. Tests begin with "
             "clear_trace_counter()."
           : "");
}

void detail::check_most_traces(std::int64_t most, const SourceLocation& loc) {
  if (most >= 0) return;
  const LocationScope scope(loc, "assert_max_traces");
  throw ValueError("assert_max_traces: the number of traces must not be negative; got " + std::to_string(most) + ".");
}

void clear_trace_counter() {
  const std::scoped_lock lock(mutex);
  for (auto& [where, counter] : counters()) counter = {};
}

}  // namespace weft::testing
