// Refuses compilers that cannot compile Weft, in one sentence instead of many.
#pragma once

#if !defined(__cplusplus) || __cplusplus < 202002L
#error "Weft needs C++20: compile with -std=c++20 or later."
#elif defined(__clang__)
#if __clang_major__ < 16
#error "Weft needs clang 16 or later (19 is tested)."
#endif
#elif defined(__GNUC__)
#if __GNUC__ < 12
#error "Weft needs g++ 12 or later."
#endif
#else
#error "Weft needs g++ 12 or clang 19, or later."
#endif
