// Whether bytes are UTF-8 (RFC 3629): what file formats promise of their strings.
#pragma once

#include <string_view>

namespace weft::train {

/// True unless the text has bytes that are no character: stray or missing continuations, overlong forms, surrogates,
/// or numbers above U+10FFFF.
bool is_utf8(std::string_view text);

}  // namespace weft::train
