# Trains the policy, links it into the C program and runs that:
#   cmake -DPROGRAM=<aot_policy> -DCOMPILER=<a compiler of C> -DFOLDER=<examples/aot_policy> -P aot_policy.cmake
function(run)
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE text ERROR_VARIABLE errors RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN} must succeed; got ${status}:\n${text}${errors}")
  endif()
  set(text "${text}" PARENT_SCOPE)
endfunction()

run(${PROGRAM})
# Nothing is needed but the C library's functions of memory and numbers.
run(nm -u policy.o)
string(REGEX MATCHALL "U [^\n]+" needed "${text}")
foreach(symbol IN LISTS needed)
  if(NOT symbol MATCHES "^U (_GLOBAL_OFFSET_TABLE_|mem(cpy|set|move)|(sin|cos|tan|sincos|fmod|floor|ceil|trunc|sqrt|pow|rint)f?)$")
    message(FATAL_ERROR "policy.o must need libc and libm at most; got ${symbol}")
  endif()
endforeach()
run(${COMPILER} -x c -std=c11 -Wall -Wextra -Werror -I. ${FOLDER}/balance.c -x none policy.o -lm -o balance)
run(./balance)
if(NOT text MATCHES "the pole stood for 10 s")
  message(FATAL_ERROR "the pole must stand; got\n${text}")
endif()
