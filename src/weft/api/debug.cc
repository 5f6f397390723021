#include "weft/api/debug.h"

#include <cstdio>
#include <mutex>
#include <ostream>

namespace weft::debug {

namespace {

struct Sink {
  std::recursive_mutex mutex;  // a sink may run programs that print
  PrintSink write;
};
Sink& sink() {
  static Sink* const s = new Sink;  // programs may print while static objects are destroyed
  return *s;
}

void write_line(const std::string& line) {
  Sink& s = sink();
  const std::lock_guard lock(s.mutex);
  if (s.write) return s.write(line);
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

}  // namespace

PrintSink set_print_sink(PrintSink next) {
  Sink& s = sink();
  const std::lock_guard lock(s.mutex);
  return std::exchange(s.write, std::move(next));
}

PrintTo::PrintTo(std::ostream& out)
    : PrintTo(PrintSink([&out](std::string_view line) {
        out << line;
        out.flush();
      })) {}

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
