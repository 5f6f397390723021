#include "weft/api/debug.h"

#include <cstdio>
#include <memory>
#include <mutex>
#include <ostream>
#include <vector>

namespace weft::debug {

namespace {

struct Sinks {
  std::recursive_mutex mutex;  // a sink may run programs that print
  // Shared with a call, so that a sink may put another in its place.
  std::shared_ptr<const PrintSink> standing = std::make_shared<const PrintSink>();
  std::vector<std::pair<const PrintTo*, std::shared_ptr<const PrintSink>>> scopes;  // may end in any order
};
Sinks& sinks() {
  static Sinks* const s = new Sinks;  // programs may print while static objects are destroyed
  return *s;
}

void write_line(const std::string& line) {
  Sinks& s = sinks();
  const std::lock_guard lock(s.mutex);
  const std::shared_ptr<const PrintSink> write = s.scopes.empty() ? s.standing : s.scopes.back().second;
  if (*write) return (*write)(line);
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

}  // namespace

PrintSink set_print_sink(PrintSink next) {
  Sinks& s = sinks();
  const std::lock_guard lock(s.mutex);
  return *std::exchange(s.standing, std::make_shared<const PrintSink>(std::move(next)));
}

PrintTo::PrintTo(std::ostream& out)
    : PrintTo(PrintSink([&out](std::string_view line) {
        out << line;
        out.flush();
      })) {}
PrintTo::PrintTo(PrintSink sink) {
  Sinks& s = sinks();
  const std::lock_guard lock(s.mutex);
  s.scopes.emplace_back(this, std::make_shared<const PrintSink>(std::move(sink)));
}
PrintTo::~PrintTo() {
  Sinks& s = sinks();
  const std::lock_guard lock(s.mutex);
  std::erase_if(s.scopes, [&](const auto& scope) { return scope.first == this; });
}

void detail::print(const Text& text, bool ordered, const FormatArgs& args) {
  const ir::FormatText format = [&] {
    const LocationScope scope(text.loc, "debug_print");
    return parse_format("debug_print", text.text, args);
  }();
  // A new line belongs to the text, so that both are written at once.
  const api::HostCall call{CallbackKind::kPrint, std::string(text.text), ordered, VmapMethod::kSequential, text.loc};
  api::call_host(call, [format](std::span<const Array> values, Arrays&) { write_line(render(format, values) + "\n"); },
                 args.leaves, {}, {});
}

}  // namespace weft::debug
