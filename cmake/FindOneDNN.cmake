# Finds oneDNN's C++ API and makes the target DNNL::dnnl, unless the project has it already.
# Not the package's own dnnl-config.cmake: Debian's makes the OpenCL headers REQUIRED, which
# the package itself only recommends and nothing here uses.
if(TARGET DNNL::dnnl)
  set(OneDNN_FOUND TRUE)
  return()
endif()
find_path(OneDNN_INCLUDE_DIR dnnl.hpp)
find_library(OneDNN_LIBRARY dnnl)
mark_as_advanced(OneDNN_INCLUDE_DIR OneDNN_LIBRARY)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OneDNN REQUIRED_VARS OneDNN_LIBRARY OneDNN_INCLUDE_DIR)
if(OneDNN_FOUND)
  add_library(DNNL::dnnl UNKNOWN IMPORTED)
  set_target_properties(DNNL::dnnl PROPERTIES IMPORTED_LOCATION ${OneDNN_LIBRARY}
                                              INTERFACE_INCLUDE_DIRECTORIES ${OneDNN_INCLUDE_DIR})
endif()
