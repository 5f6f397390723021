#include "weft/api/donation.h"

namespace weft::api {

std::vector<std::size_t> donated_arguments(std::string_view op, std::span<const int> donate,
                                           std::size_t num_arguments) {
  const auto n = static_cast<std::int64_t>(num_arguments);
  std::vector<std::size_t> r;
  for (const int i : donate) {
    if (i < -n || i >= n)
      throw IndexError(std::string(op) + ": donated arguments must be in [" + std::to_string(-n) + ", " +
                       std::to_string(n) + "); got " + std::to_string(i) + ".");
    r.push_back(static_cast<std::size_t>(i < 0 ? i + n : i));
  }
  std::sort(r.begin(), r.end());
  r.erase(std::unique(r.begin(), r.end()), r.end());
  return r;
}

void run_program(const char* op, const SourceLocation& loc, const Executable& program, const Donation* donation,
                 Arrays args, Arrays& outs) {
  if (!donation) return program.run(args, outs);
  {
    const LocationScope scope(loc, op);
    detail::take_donated(op, args, donation->inputs, donation->notes);
  }
  program.run_donated(std::move(args), outs);
}

void refuse_donated(std::string_view op, std::span<const Array> captured, std::span<const Array> arguments) {
  for (const Array& a : captured)
    if (a.is_donated()) detail::throw_donated(op, "captured arrays", a);
  for (const Array& a : arguments)
    if (a.is_donated()) detail::throw_donated(op, "arguments", a);
}

}  // namespace weft::api
