# weft_add_aot: a StableHLO program compiled to an object file when the project is built, as a library that C and C++
# link. The library needs nothing of Weft; only the machine that builds it does.
#
#   weft_add_aot(<target> <program.mlir> [NAME <function of C>] [FUNCTION <function of the program>]
#                [TRIPLE <machine>] [CPU <processor>] [FEATURES <features>] [STRICT])
#
# Makes the static library <target>, of the function NAME (<target> unless given), and its header <NAME>.h, which is on
# the include path of whoever links it. FUNCTION is main, or the only public one, unless given. TRIPLE, CPU and FEATURES
# are those of `weftc aot`: "aarch64-linux-gnu"; "x86-64-v2", "x86-64-v3", "x86-64-v4", "native", "cortex-a72", ...;
# "+avx2,+fma". Without them the code is for the machine that builds it, and may not run on an older one. STRICT: the
# same bits on every machine.
#
# The program that compiles is weft::weftc, or WEFT_WEFTC where that is set: one for the building machine, when the
# project is built for another.

function(weft_add_aot target program)
  cmake_parse_arguments(PARSE_ARGV 2 arg "STRICT" "NAME;FUNCTION;TRIPLE;CPU;FEATURES" "")
  if(arg_UNPARSED_ARGUMENTS)
    list(JOIN arg_UNPARSED_ARGUMENTS " " unknown)
    message(FATAL_ERROR "weft_add_aot: the arguments must be STRICT, or NAME, FUNCTION, TRIPLE, CPU or FEATURES with "
                        "one value; got ${unknown}.")
  endif()
  if(arg_KEYWORDS_MISSING_VALUES)
    list(JOIN arg_KEYWORDS_MISSING_VALUES ", " missing)
    message(FATAL_ERROR "weft_add_aot: an argument must have a value; got none for ${missing}.")
  endif()
  if(TARGET ${target})
    message(FATAL_ERROR "weft_add_aot: the target must be new; got ${target}, which there is.")
  endif()

  cmake_path(ABSOLUTE_PATH program BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE)
  get_source_file_property(generated ${program} GENERATED)
  if(NOT generated AND NOT EXISTS ${program})
    message(FATAL_ERROR "weft_add_aot: the program must be a file; got ${program}, which is not there.")
  endif()

  if(WEFT_WEFTC)
    set(weftc ${WEFT_WEFTC})
  elseif(TARGET weft::weftc)
    set(weftc weft::weftc)
  else()
    message(FATAL_ERROR "weft_add_aot: there must be a weftc; got none. Weft inside of another project builds it with "
                        "-DWEFT_BUILD_APPS=ON, where CLI11 is found; WEFT_WEFTC names one that is there.")
  endif()

  set(name ${target})
  if(arg_NAME)
    set(name ${arg_NAME})
  endif()
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/weft_aot/${target})
  set(object ${folder}/${name}.o)
  set(options --name ${name})
  foreach(option IN ITEMS FUNCTION TRIPLE CPU FEATURES)
    if(arg_${option})
      string(TOLOWER ${option} word)
      list(APPEND options --${word} ${arg_${option}})
    endif()
  endforeach()
  if(arg_STRICT)
    list(APPEND options --strict)
  endif()
  file(MAKE_DIRECTORY ${folder})
  add_custom_command(
    OUTPUT ${object} ${folder}/${name}.h
    COMMAND ${weftc} aot ${program} -o ${object} ${options}
    DEPENDS ${program} ${weftc}
    COMMENT "Compiling ${program} ahead of time" VERBATIM)

  # Objects alone do not say which linker is to be used.
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  set(linker C)
  if(NOT C IN_LIST languages)
    set(linker CXX)
  endif()
  set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
  add_library(${target} STATIC ${object} ${folder}/${name}.h)
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE ${linker})
  target_include_directories(${target} INTERFACE ${folder})
  target_link_libraries(${target} INTERFACE m)
endfunction()
