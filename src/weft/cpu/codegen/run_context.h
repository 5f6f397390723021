// What compiled programs call in us, as a table of functions at fixed places, or by name: generated code has no
// addresses in it. No function throws: a failure is kept in the context and told by the result.
#pragma once

#include <cstdint>

namespace weft::cpu {

struct RunContext {
  /// Runs operation `step` of the program's table. 0, or 1 when it failed.
  std::int32_t (*run_step)(RunContext*, std::int64_t step, const void* const* in, void* const* out);
  /// The same with what follows: kernel(buffers, begin, end) for ranges of its outermost loop, whose step i takes
  /// elements [i elements, (i + 1) elements) of the operation's result; ranges begin at multiples of `multiple`. 2 when
  /// the operation has run, but not the kernel, because the parts that it tells do not fit.
  std::int32_t (*run_step_with)(RunContext*, std::int64_t step, const void* const* in, void* const* out,
                                void (*kernel)(void* const*, std::int64_t, std::int64_t), void* const* buffers,
                                std::int64_t multiple, std::int64_t elements);
  /// Calls kernel(buffers, begin, end) for ranges of [0, n) that are multiples of `grain` long, on several threads.
  void (*run_kernel)(RunContext*, void (*kernel)(void* const*, std::int64_t, std::int64_t), void* const* buffers,
                     std::int64_t n, std::int64_t grain);
  /// The same where other threads are awake, else on this one.
  void (*run_short_kernel)(RunContext*, void (*kernel)(void* const*, std::int64_t, std::int64_t), void* const* buffers,
                           std::int64_t n, std::int64_t grain);
  /// Loops in which something may fail tell where they are: `first` is the memory of the first carried value.
  void (*loop_begin)(RunContext*, std::int64_t loop);
  void (*loop_at)(RunContext*, std::int64_t loop, std::int64_t iteration, const void* first);
  void (*loop_end)(RunContext*);
  /// A while_loop goes on after its max_steps. Always 1.
  std::int32_t (*too_many_steps)(RunContext*, std::int64_t loop);
  /// In programs that are timed, around each statement.
  void (*statement_begin)(RunContext*, std::int64_t statement);
  void (*statement_end)(RunContext*);
};

/// The program: 0, or 1 when it failed. The workspace is aligned to 64 bytes, inputs and outputs to their elements.
/// Outputs overlap neither inputs nor each other.
using ProgramFunction = std::int32_t (*)(const void* const* in, void* const* out, void* workspace, RunContext* context);

/// The same for programs that need no context, with every output written, also those that are inputs or literals.
using RawFunction = std::int32_t (*)(const void* const* in, void* const* out, void* workspace);

/// Before the name and dtype of an operation of one operand ("sine_f32"), the name by which code calls the loop of its
/// prebuilt kernel (ElementwiseKernel::loop). Programs that run alone call none.
inline constexpr const char* kKernelPrefix = "weft_kernel_";

}  // namespace weft::cpu
