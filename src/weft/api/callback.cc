#include "weft/api/callback.h"

#include <cstring>

#include "weft/control/programs.h"
#include "weft/core/checks.h"
#include "weft/core/named_axes.h"

namespace weft {

namespace api {

namespace {

std::string kind_name(const HostCall& call) { return std::string(kCallbackKindNames[static_cast<int>(call.kind)]); }

// Between memory, which belongs to the run, and arrays, which the function may keep.
class FlatHostFunction final : public ir::HostFunction {
 public:
  FlatHostFunction(HostCall call, FlatFunction f, std::vector<std::string> paths)
      : call_(std::move(call)), f_(std::move(f)), paths_(std::move(paths)) {}

  void call(std::span<const TensorView> in, std::span<const MutableTensorView> out) const override {
    Arrays args, results;
    // What the function calls is evaluated, and blamed for its own lines; what is around the call that runs the program
    // says nothing about it.
    const CurrentTrace evaluate(nullptr);
    const NoNamedAxes nobodys_axes;
    const debug::CheckScope its_own({.nans = false, .infs = false, .indices = false});
    {
      const ForcedLocation own_lines{SourceLocation()};
      for (const TensorView& v : in)
        args.push_back(Array::copy(v.dtype(), Dims(v.shape()), v.data, static_cast<std::size_t>(v.size())));
      try {
        f_(args, results);
      } catch (Error& e) {
        e.add_note("in " + kind_name(call_) + "(" + call_.name + ")" +
                   (call_.loc ? " at " + call_.loc.str() : std::string()));
        throw;
      }
    }
    const ForcedLocation line(call_.loc);
    internal_check(results.size() == out.size(), "host_callback: a callback gave another number of arrays");
    for (std::size_t i = 0; i < out.size(); ++i) put(results[i], out[i], paths_[i]);
  }

 private:
  void put(const Array& from, const MutableTensorView& to, const std::string& path) const {
    const auto mismatch = [&] {
      return kind_name(call_) + ": " + call_.name + " must return what was promised, " + to.aval.str() + "; got " +
             from.aval().str() + (path.empty() ? std::string() : " at result" + path) + ".";
    };
    if (from.dtype() != to.dtype()) throw DTypeError(mismatch(), "convert with astype, or promise another type.");
    if (from.shape() != to.shape()) throw ShapeError(mismatch());
    const detail::HostView host = from.host("callback");
    if (to.size() > 0) std::memcpy(to.data, host.view.data, static_cast<std::size_t>(to.aval.bytes()));
  }

  HostCall call_;
  FlatFunction f_;
  std::vector<std::string> paths_;
};

}  // namespace

Arrays call_host(const HostCall& call, FlatFunction f, std::span<const Array> leaves, std::span<const Aval> types,
                 std::vector<std::string> paths) {
  const CallbackParams params{
      .kind = call.kind,
      .name = call.name,
      .result_types = std::vector<Aval>(types.begin(), types.end()),
      .ordered = call.ordered,
      .vmap_method = call.vmap_method,
      .examples = {},
      .function = {std::make_shared<const FlatHostFunction>(call, std::move(f), std::move(paths))}};
  return lax::host_callback(leaves, params, call.loc);
}

}  // namespace api
}  // namespace weft
