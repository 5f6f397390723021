#include "testing/errors.h"

#include <algorithm>
#include <atomic>

namespace weft::testing {

namespace {
std::atomic<bool> disabled{false};
}  // namespace

void disable_asserts() { disabled = true; }
void enable_asserts() { disabled = false; }

bool detail::asserts_enabled() { return !disabled; }

void detail::fail(std::string_view op, const std::string& must, const std::string& got, const SourceLocation& loc,
                  std::string hint) {
  const LocationScope scope(loc, op);
  throw AssertionError(std::string(op) + ": " + must + "; got " + got + ".", std::move(hint));
}

void detail::rethrow_as_assertion(const Error& e) {
  const ForcedLocation place(e.location());
  AssertionError error(e.message(), e.hint());
  for (const std::string& note : e.notes()) error.add_note(note);
  throw error;
}

std::string detail::listed(const std::vector<std::string>& items) {
  constexpr std::size_t kMost = 5;
  const std::size_t n = std::min(items.size(), kMost), more = items.size() - n;
  std::string s;
  for (std::size_t i = 0; i < n; ++i) s += (i == 0 ? "" : i + 1 < n || more > 0 ? ", " : " and ") + items[i];
  return more > 0 ? s + " and " + std::to_string(more) + " more" : s;
}

}  // namespace weft::testing
