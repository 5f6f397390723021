# `weftc run` on .npy files, from end to end: one program writes them, another one reads them. Run in a folder of its own:
#   cmake -DWEFTC=<program> -DPROGRAMS=<this folder> -P arrays.cmake
file(REMOVE_RECURSE arrays)
file(MAKE_DIRECTORY arrays)

# weftc(<status> <regular expression of the output> <argument>...)
function(weftc status expected)
  execute_process(COMMAND ${WEFTC} ${ARGN} WORKING_DIRECTORY arrays INPUT_FILE /dev/null
                  OUTPUT_VARIABLE text ERROR_VARIABLE text RESULT_VARIABLE got)
  list(JOIN ARGN " " line)
  if(NOT "${got}" STREQUAL "${status}" OR NOT "${text}" MATCHES "${expected}")
    message(FATAL_ERROR "weftc ${line}\nmust end with ${status} and print\n  ${expected}\ngot ${got} and\n${text}")
  endif()
endfunction()

# Several outputs; those without a file are printed.
weftc(0 "^i4.2.\n..*-8.*7.\n$" run ${PROGRAMS}/makes_arrays.mlir
      -o x.npy n.npy small.npy brain.npy)
foreach(file x n small brain)
  if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/arrays/${file}.npy)
    message(FATAL_ERROR "${file}.npy is not there")
  endif()
endforeach()

# Several inputs, in order.
weftc(0 "f32.3.\n. *2. *4. *6..\n" run ${PROGRAMS}/takes_arrays.mlir -i x.npy n.npy small.npy brain.npy)
weftc(0 "^$" run ${PROGRAMS}/takes_arrays.mlir -i x.npy n.npy small.npy brain.npy -o y.npy)
weftc(0 "f32.3.\n. *4. *8. *12..\n" run ${PROGRAMS}/takes_arrays.mlir --input y.npy --input n.npy --input small.npy
      --input brain.npy)

# What does not fit names the file.
weftc(2 "takes 4 inputs; got 1" run ${PROGRAMS}/takes_arrays.mlir -i x.npy)
weftc(2 "gives 1 output; got 2 files" run ${PROGRAMS}/takes_arrays.mlir -i x.npy n.npy small.npy brain.npy -o a b)
weftc(2 "^n.npy: input 0 of @main must be f32.3.; got i32..\\.\n" run ${PROGRAMS}/takes_arrays.mlir
      -i n.npy n.npy small.npy brain.npy)
weftc(2 "^small.npy: input 0 of @main must be f32.3.; got f32.2.\\.\n" run ${PROGRAMS}/takes_arrays.mlir
      -i small.npy n.npy small.npy brain.npy)
weftc(2 "^brain.npy: input 2 of @main must be f8e4m3fn.2., kept as f32.2.; got bf16.2."
      run ${PROGRAMS}/takes_arrays.mlir -i x.npy n.npy brain.npy brain.npy)
weftc(2 "none.npy" run ${PROGRAMS}/takes_arrays.mlir -i none.npy n.npy small.npy brain.npy)
weftc(2 "takes_arrays.mlir: the file must start with" run ${PROGRAMS}/takes_arrays.mlir
      -i ${PROGRAMS}/takes_arrays.mlir n.npy small.npy brain.npy)
# A number that the small type has not.
weftc(0 "^$" run ${PROGRAMS}/makes_arrays.mlir -f between -o between.npy)
weftc(2 "^between.npy: input 2 of @main must be f8e4m3fn.2., whose numbers are few; element 1: got 1.0, expected 1.01"
      run ${PROGRAMS}/takes_arrays.mlir -i x.npy n.npy between.npy brain.npy)

# Programs are written whole, or to where they are wanted.
weftc(0 "^$" print ${PROGRAMS}/loss.mlir --to=generic -o printed.mlir)
weftc(0 "^$" grad printed.mlir -o gradient.mlir)
weftc(0 "f32..\n14.0\nf32.3.\n. *2. *4. *6..\n" run gradient.mlir -i x.npy)
weftc(2 "nowhere/p.mlir: the file must be writable" print ${PROGRAMS}/loss.mlir -o nowhere/p.mlir)
file(GLOB left arrays/*.tmp*)
if(left)
  message(FATAL_ERROR "files are left over: ${left}")
endif()
