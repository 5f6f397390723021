// Donation: a call takes the memory of an array for good. The array keeps its type; where its memory was, there is a
// note that says who has it, for the error of whoever reads it later.
#pragma once

#include <string>
#include <string_view>

#include "weft/core/array.h"

namespace weft::detail {

/// What is left in the place of memory: "args[0].w of jit(step) at train.cc:18". Many arrays may share one.
Ref<Storage> donation_note(std::string to);

/// Takes the arrays args[inputs[i]], leaving notes[i]: `args` then has new ones in their places, which nobody else
/// holds. All of `args` are buffers. ValueError when one of these arrays is among `args` twice: then nothing has
/// changed. Arrays that share their memory with a donated one, as a reshape of it does, keep it.
void take_donated(std::string_view op, Arrays& args, std::span<const std::uint32_t> inputs,
                  std::span<const Ref<Storage>> notes);

/// Whether a result may be written where the array is: its holder has all of its memory to himself.
bool may_be_overwritten(const Array& a);

/// DonatedError: `what` ("operands") must hold values, and `a` was donated.
[[noreturn]] void throw_donated(std::string_view op, std::string_view what, const Array& a);

}  // namespace weft::detail
