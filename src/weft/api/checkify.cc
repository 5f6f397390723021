#include "weft/api/checkify.h"

#include "weft/control/programs.h"
#include "weft/core/concretization.h"
#include "weft/ops/lax.h"

namespace weft::checkify {

namespace {

// Element `at` of the first `axes` axes, counted in row-major order.
Array part(const Array& x, std::size_t axes, std::int64_t at) {
  const weft::detail::HostView host = x.host("checkify::Error");
  const Aval type = x.aval().with_shape(x.shape().subspan(axes));
  return Array::copy(type.dtype(), Dims(type.shape()),
                     static_cast<const std::byte*>(host.view.data) + at * type.bytes(),
                     static_cast<std::size_t>(type.size()));
}

}  // namespace

// report(site, values, at) for each failure, until it returns true.
template <class Report>
void Error::for_each_failure(Report&& report) const {
  if (!code_.defined()) return;
  if (const Tracer* t = unknown_tracer(code_, "checkify::Error"))
    throw concretization_error(
        *t, "checkify::Error: whether something went wrong must be known; got " + unknown_str(*t) + ".",
        "return the error from the transformed function and ask outside, or raise it in an "
        "outer checkify by check_error.");
  const std::vector<std::int32_t> codes = code_.to_vector<std::int32_t>();
  const auto axes = static_cast<std::size_t>(code_.ndim());
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (codes[i] == 0) continue;
    const auto at = static_cast<std::int64_t>(i);
    Arrays values;
    for (const Array& v : values_) values.push_back(part(v, axes, at));
    if (report(sites_.value[static_cast<std::size_t>(codes[i]) - 1], values, at)) return;
  }
}

void Error::throw_() const {
  for_each_failure([&](const control::CheckSite& site, const Arrays& values, std::int64_t at) -> bool {
    control::throw_site(site, values, code_.shape(), at);
  });
}

std::optional<std::string> Error::get() const {
  std::optional<std::string> text;
  for_each_failure([&](const control::CheckSite& site, const Arrays& values, std::int64_t at) {
    try {
      control::throw_site(site, values, code_.shape(), at);
    } catch (const weft::Error& e) {
      text = (text ? *text + "\n" : std::string()) + e.what();
    }
    return false;
  });
  return text;
}

void check_error(const Error& error, SourceLocation loc) {
  if (!error.code_.defined()) return;
  bool known = error.code_.known();
  for (const Array& v : error.values_) known = known && v.known();
  if (known && evaluating()) return error.throw_();
  if (error.code_.ndim() != 0)
    throw ShapeError(
        "check_error: in a program there must be one error; got errors of " + error.code_.aval().str() + ".",
        "call it on the error of each example, inside of vmap.");
  for (std::size_t i = 0; i < error.sites_.value.size(); ++i) {
    const control::CheckSite& site = error.sites_.value[i];
    Arrays values;
    for (const std::size_t s : site.slots) values.push_back(error.values_[s]);
    if (!site.examples.empty()) values.erase(values.begin());
    const ForcedLocation line(site.location ? site.location : loc);
    lax::check(lax::ne(error.code_, static_cast<std::int32_t>(i + 1)), site.message, values, site.kind,
               current_location());
  }
}

void detail::check(const Array& pred, const SourceLocation& loc, std::string_view message, const FormatArgs& args) {
  const ir::FormatText text = [&] {
    const LocationScope scope(loc, "check");
    return parse_format("check", message, args);
  }();
  lax::check(pred, text, args.leaves, CheckKind::kUser, loc);
}

detail::Outcome detail::run(const Staged& staged, unsigned kinds, std::span<const Array> leaves,
                            const SourceLocation& loc) {
  const control::Checkified checkified = control::checkify(staged.jaxpr, kinds);
  Arrays args = checkified.program.captured, all;
  args.append(staged.captured.begin(), staged.captured.end());
  args.append(leaves.begin(), leaves.end());
  {
    const LocationScope scope(loc, "checkify");
    eval_jaxpr(checkified.program.jaxpr, args, all);
  }
  const std::span<const Array> values = std::span<const Array>(all).subspan(1, checkified.num_values);
  Outcome r{Error(all[0], {values.begin(), values.end()}, checkified.sites), {}};
  r.results.append(all.begin() + 1 + static_cast<std::ptrdiff_t>(checkified.num_values), all.end());
  return r;
}

}  // namespace weft::checkify
