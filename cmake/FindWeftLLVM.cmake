# Finds LLVM 19's C++ API in one shared library and makes the target WeftLLVM::LLVM, unless the project has it already.
# WeftLLVM_CLANG is the clang of the same version, which only building Weft needs.
# Not LLVM's own LLVMConfig.cmake: it makes a target of every part of LLVM, and looks for what those were built with.
find_program(WeftLLVM_CLANG NAMES clang++-19 HINTS /usr/lib/llvm-19/bin)
mark_as_advanced(WeftLLVM_CLANG)
if(TARGET WeftLLVM::LLVM)
  set(WeftLLVM_FOUND TRUE)
  return()
endif()
find_library(WeftLLVM_LIBRARY LLVM-19 HINTS /usr/lib/llvm-19/lib)
# Those beside the library: other versions may lie where compilers look.
cmake_path(GET WeftLLVM_LIBRARY PARENT_PATH folder)
find_path(WeftLLVM_INCLUDE_DIR llvm/IR/LLVMContext.h HINTS ${folder}/../include /usr/include/llvm-19)
unset(folder)
mark_as_advanced(WeftLLVM_INCLUDE_DIR WeftLLVM_LIBRARY)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(WeftLLVM REQUIRED_VARS WeftLLVM_LIBRARY WeftLLVM_INCLUDE_DIR)
if(WeftLLVM_FOUND)
  add_library(WeftLLVM::LLVM UNKNOWN IMPORTED)
  set_target_properties(WeftLLVM::LLVM PROPERTIES IMPORTED_LOCATION ${WeftLLVM_LIBRARY}
                                                  INTERFACE_INCLUDE_DIRECTORIES ${WeftLLVM_INCLUDE_DIR})
endif()
