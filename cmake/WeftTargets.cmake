# Functions that turn folders into targets. They know how our code is compiled; they do
# not know which layers exist (WeftLayers.cmake). Nothing here reaches a consumer's flags:
# every option is PRIVATE, and only the include path and cxx_std_20 are exported.

# Compiles `target` the way all of Weft is compiled.
function(weft_own_target target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  # No contraction: eager, jit and the reference must agree bit for bit.
  target_compile_options(${target} PRIVATE -ffp-contract=off -fno-math-errno -Wall -Wextra
                                           -Wno-missing-field-initializers)
  # g++ 12 finds bounds broken inside std::string (GCC bug 105329) once <string> comes from a precompiled header.
  target_compile_options(${target} PRIVATE
    "$<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-array-bounds;-Wno-stringop-overflow;-Wno-stringop-overread>")
  if(WEFT_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()

# Compiles `target` (an OBJECT library) as part of the library `weft`.
# A folder with its own CMakeLists.txt calls this for every object library it makes.
function(weft_add_objects target)
  weft_own_target(${target})
  target_include_directories(${target} PRIVATE ${WEFT_SOURCE_DIR}/src)
  # Without -fno-semantic-interposition, position-independent code cannot inline our own functions.
  target_compile_options(${target} PRIVATE -fno-semantic-interposition)
  if(NOT DEFINED CMAKE_POSITION_INDEPENDENT_CODE)
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  endif()
  target_sources(weft PRIVATE $<TARGET_OBJECTS:${target}>)
endfunction()

# weft_add_layer(<name> [DEPENDS <layer>...] [EXCLUDE <file>...] [PRECOMPILE <header>... | PRECOMPILED_BY <layer>])
# Makes weft_<name> from src/weft/<name>/*.cc, or lets that folder's own CMakeLists.txt
# do it. A folder without sources is skipped. Sets WEFT_HAS_<name> in the caller.
# PRECOMPILE parses those headers once for the layer and for the layers PRECOMPILED_BY it: only a matter of
# speed, and CMAKE_DISABLE_PRECOMPILE_HEADERS, as `./dev lint` sets it, shows that no source leans on it.
function(weft_add_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PRECOMPILED_BY" "DEPENDS;EXCLUDE;PRECOMPILE")
  set(folder ${WEFT_SOURCE_DIR}/src/weft/${name})
  set(WEFT_HAS_${name} OFF PARENT_SCOPE)
  if(EXISTS ${folder}/CMakeLists.txt)
    add_subdirectory(${folder} ${WEFT_BINARY_DIR}/src/weft/${name})
    set(WEFT_HAS_${name} ON PARENT_SCOPE)
    return()
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cc)
  foreach(file IN LISTS arg_EXCLUDE)
    list(REMOVE_ITEM sources ${folder}/${file})
  endforeach()
  if(NOT sources)
    return()
  endif()
  add_library(weft_${name} OBJECT ${sources})
  weft_add_objects(weft_${name})
  if(arg_PRECOMPILE)
    target_precompile_headers(weft_${name} PRIVATE ${arg_PRECOMPILE})
  elseif(arg_PRECOMPILED_BY)
    target_precompile_headers(weft_${name} REUSE_FROM weft_${arg_PRECOMPILED_BY})
  endif()
  foreach(layer IN LISTS arg_DEPENDS)
    if(TARGET weft_${layer})
      target_link_libraries(weft_${name} PUBLIC weft_${layer})
    endif()
  endforeach()
  set(WEFT_HAS_${name} ON PARENT_SCOPE)
endfunction()

# weft_add_library(<name> [LINK <target>...])
# Makes weft_<name>, alias weft::<name>, from libs/<name>/*.cc and installs it with its
# headers, which users include as <name/file.h>.
function(weft_add_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LINK")
  file(GLOB sources CONFIGURE_DEPENDS ${WEFT_SOURCE_DIR}/libs/${name}/*.cc)
  if(NOT sources)
    return()
  endif()
  foreach(target IN LISTS arg_LINK)
    if(NOT TARGET ${target})
      message(STATUS "weft: libs/${name} is left out: ${target} was not found")
      return()
    endif()
  endforeach()
  add_library(weft_${name} ${sources})
  add_library(weft::${name} ALIAS weft_${name})
  weft_own_target(weft_${name})
  target_include_directories(weft_${name} PUBLIC $<BUILD_INTERFACE:${WEFT_SOURCE_DIR}/libs>
                                                 $<INSTALL_INTERFACE:${WEFT_LIBS_INCLUDEDIR}>)
  target_link_libraries(weft_${name} PUBLIC weft PRIVATE ${arg_LINK})
  set_target_properties(weft_${name} PROPERTIES EXPORT_NAME ${name} VERSION ${WEFT_VERSION} SOVERSION ${WEFT_SOVERSION})
  if(NOT DEFINED CMAKE_POSITION_INDEPENDENT_CODE)
    set_target_properties(weft_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  endif()
  if(WEFT_INSTALL)
    install(TARGETS weft_${name} EXPORT weftTargets)
    install(DIRECTORY ${WEFT_SOURCE_DIR}/libs/${name} DESTINATION ${WEFT_LIBS_INCLUDEDIR}
            FILES_MATCHING PATTERN "*.h" PATTERN "tests" EXCLUDE)
  endif()
endfunction()
