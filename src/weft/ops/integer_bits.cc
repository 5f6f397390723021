// Operations on the bits of integers (and, or, xor, not: also the logic of bool).
// Nothing here has a tangent.
#include <bit>

#include "weft/ops/elementwise.h"

namespace weft {

using namespace ops;

namespace {

constexpr unsigned kBits = kAcceptBool | kAcceptInteger;

// The low `bits` bits of an integer that was widened by its sign.
template <class T>
std::uint64_t low(T x, int bits) {
  return static_cast<std::uint64_t>(x) & (~std::uint64_t{0} >> (64 - bits));
}
// A shift by a negative amount is one by more than the width.
template <class T>
bool shifts_out(T amount, int bits) {
  return static_cast<std::uint64_t>(amount) >= static_cast<std::uint64_t>(bits);
}

}  // namespace

Array lax::and_(const Arg& x, const Arg& y) { return binary(OpCode::kAnd, x, y); }
const ir::OpInfo op_infos::and_ =
    binary_info<OpCode::kAnd, kBits>([](auto x, auto y) { return static_cast<decltype(x)>(x & y); });
const OpRules op_rule_table::and_ = kZeroTangentRules;

Array lax::or_(const Arg& x, const Arg& y) { return binary(OpCode::kOr, x, y); }
const ir::OpInfo op_infos::or_ =
    binary_info<OpCode::kOr, kBits>([](auto x, auto y) { return static_cast<decltype(x)>(x | y); });
const OpRules op_rule_table::or_ = kZeroTangentRules;

Array lax::xor_(const Arg& x, const Arg& y) { return binary(OpCode::kXor, x, y); }
const ir::OpInfo op_infos::xor_ =
    binary_info<OpCode::kXor, kBits>([](auto x, auto y) { return static_cast<decltype(x)>(x ^ y); });
const OpRules op_rule_table::xor_ = kZeroTangentRules;

Array lax::not_(const Arg& x) { return unary(OpCode::kNot, x); }
const ir::OpInfo op_infos::not_ = unary_info<OpCode::kNot, kBits>([](auto x) {
  if constexpr (std::is_same_v<decltype(x), bool>)
    return !x;
  else
    return static_cast<decltype(x)>(~x);
});
const OpRules op_rule_table::not_ = kZeroTangentRules;

Array lax::count_leading_zeros(const Arg& x) { return unary(OpCode::kCountLeadingZeros, x); }
const ir::OpInfo op_infos::count_leading_zeros = unary_info<OpCode::kCountLeadingZeros, kAcceptInteger>(
    [](auto x, int bits) { return static_cast<decltype(x)>(std::countl_zero(low(x, bits)) - (64 - bits)); });
const OpRules op_rule_table::count_leading_zeros = kZeroTangentRules;

Array lax::popcnt(const Arg& x) { return unary(OpCode::kPopcnt, x); }
const ir::OpInfo op_infos::popcnt = unary_info<OpCode::kPopcnt, kAcceptInteger>(
    [](auto x, int bits) { return static_cast<decltype(x)>(std::popcount(low(x, bits))); });
const OpRules op_rule_table::popcnt = kZeroTangentRules;

Array lax::shift_left(const Arg& x, const Arg& y) { return binary(OpCode::kShiftLeft, x, y); }
const ir::OpInfo op_infos::shift_left = binary_info<OpCode::kShiftLeft, kAcceptInteger>(
    [](auto x, auto y, int bits) { return static_cast<decltype(x)>(shifts_out(y, bits) ? 0 : low(x, bits) << y); });
const OpRules op_rule_table::shift_left = kZeroTangentRules;

Array lax::shift_right_logical(const Arg& x, const Arg& y) { return binary(OpCode::kShiftRightLogical, x, y); }
const ir::OpInfo op_infos::shift_right_logical = binary_info<OpCode::kShiftRightLogical, kAcceptInteger>(
    [](auto x, auto y, int bits) { return static_cast<decltype(x)>(shifts_out(y, bits) ? 0 : low(x, bits) >> y); });
const OpRules op_rule_table::shift_right_logical = kZeroTangentRules;

// The top bit is the sign, also of unsigned types.
Array lax::shift_right_arithmetic(const Arg& x, const Arg& y) { return binary(OpCode::kShiftRightArithmetic, x, y); }
const ir::OpInfo op_infos::shift_right_arithmetic =
    binary_info<OpCode::kShiftRightArithmetic, kAcceptInteger>([](auto x, auto y, int bits) {
      const std::int64_t widened = static_cast<std::int64_t>(low(x, bits) << (64 - bits)) >> (64 - bits);
      return static_cast<decltype(x)>(widened >> (shifts_out(y, bits) ? 63 : static_cast<int>(y)));
    });
const OpRules op_rule_table::shift_right_arithmetic = kZeroTangentRules;

}  // namespace weft
