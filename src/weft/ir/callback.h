// The parameters of `host_callback`, which calls a C++ function of the host from a program, and of `check`, a condition
// that checkify turns into a value. Text with holes for values, which both need, as data.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "weft/ir/jaxpr.h"

namespace weft {

/// What is promised of the function, and so what may become of its calls. Also the names in printed programs.
enum class CallbackKind : std::uint8_t {
  kPure,   ///< gives results and does nothing else: may be left out, repeated, moved
  kIo,     ///< gives results and does something: every call happens
  kDebug,  ///< gives nothing and changes nothing that the program sees: every call of the values happens
  kPrint,  ///< the same, and what it does is to print
};
inline constexpr std::string_view kCallbackKindNames[] = {"pure_callback", "io_callback", "debug_callback",
                                                          "debug_print"};
constexpr std::span<const std::string_view> enum_names(CallbackKind) { return kCallbackKindNames; }
/// Whether it only watches: what it is given has no derivative through it, and a program means the same without it.
constexpr bool only_watches(CallbackKind k) { return k == CallbackKind::kDebug || k == CallbackKind::kPrint; }

/// How vmap calls a function that gives results.
enum class VmapMethod : std::uint8_t {
  kSequential,    ///< once per example, in order
  kExpandDims,    ///< once, with the examples along a new first axis, of size 1 for arguments that all share
  kBroadcastAll,  ///< once, with the examples along a new first axis of every argument
};
inline constexpr std::string_view kVmapMethodNames[] = {"sequential", "expand_dims", "broadcast_all"};
constexpr std::span<const std::string_view> enum_names(VmapMethod) { return kVmapMethodNames; }

namespace ir {

/// A function of the host. May be called from any thread, and from several at once.
class HostFunction {
 public:
  virtual ~HostFunction() = default;
  /// Fills `out`, which has the types of the results. What it throws comes out of the program's run.
  virtual void call(std::span<const TensorView> in, std::span<const MutableTensorView> out) const = 0;
};

/// Functions are equal when they are the same object. As text they are the word `Function`, which nobody can read back.
struct HostFunctionRef {
  std::shared_ptr<const HostFunction> function;
  friend bool operator==(const HostFunctionRef&, const HostFunctionRef&) = default;
};
void print_param(ParamWriter& w, const HostFunctionRef& v);
/// ParseError: text has no functions.
void parse_param(TextCursor& in, HostFunctionRef& v);
std::uint64_t hash_param(const HostFunctionRef& v);

/// Text with a hole for a value after each piece but the last: values[i] is the operand that fills hole i, and specs[i]
/// how ("" or ".3f").
struct FormatText {
  std::vector<std::string> pieces{std::string()};
  Dims values;
  std::vector<std::string> specs;
  static constexpr auto fields(auto&& visit) {
    using F = FormatText;
    return visit(field("pieces", &F::pieces), field("values", &F::values), field("specs", &F::specs));
  }
};

}  // namespace ir

/// host_callback: printed as pure_callback, io_callback, debug_callback, debug_print. Operands are what the function
/// takes; under vmap they have leading axes of examples, and the function is called for each, in row-major order.
struct CallbackParams {
  CallbackKind kind{};
  std::string name;
  std::vector<Aval> result_types;  // of one call
  bool ordered = false;
  VmapMethod vmap_method{};
  Dims examples;  // sizes of the axes of examples
  Dims mapped =
      {};  // for each operand, a bit for each of those axes: whether it is there, in front of the operand's own
  /// The first operand is bool[]: where it is false there is no call. For kinds that only watch.
  bool masked = false;
  ir::HostFunctionRef function;
  static constexpr auto fields(auto&& visit) {
    using C = CallbackParams;
    return visit(ir::field("kind", &C::kind), ir::field("name", &C::name), ir::field("result_types", &C::result_types),
                 ir::field("ordered", &C::ordered), ir::field("vmap_method", &C::vmap_method),
                 ir::field("examples", &C::examples), ir::field("mapped", &C::mapped), ir::field("masked", &C::masked),
                 ir::field("function", &C::function));
  }
};

/// What a check is about: the user's condition, or what checkify looks at in operations.
enum class CheckKind : std::uint8_t { kUser, kNan, kDivision, kIndex };
inline constexpr std::string_view kCheckKindNames[] = {"user", "nan", "division", "index"};
constexpr std::span<const std::string_view> enum_names(CheckKind) { return kCheckKindNames; }

/// check: operands are a bool of the shape of `examples`, which must be true everywhere, and the values that the
/// message shows, each with the same axes in front.
struct CheckParams {
  ir::FormatText message;
  Dims examples = {};
  CheckKind kind = CheckKind::kUser;
  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("message", &CheckParams::message), ir::field("examples", &CheckParams::examples),
                 ir::field("kind", &CheckParams::kind));
  }
};

namespace ir {

/// Whether a program, or one inside it, has a `check`. Computed once.
bool has_checks(const Jaxpr& jaxpr);
/// ValueError with the check's line: a program that is compiled or interpreted has no place to put an error, so that
/// its checks must have been made values before.
void refuse_checks(const Jaxpr& jaxpr);
[[noreturn]] void refuse_check(const Eqn& check);

}  // namespace ir
}  // namespace weft
