# Install rules: the library, the public headers, weftConfig.cmake and weft.pc.
# Everything is found relative to the installed files, so the prefix can be moved.
include(CMakePackageConfigHelpers)

install(TARGETS weft EXPORT weftTargets)
set(private_headers "")
foreach(layer IN LISTS WEFT_PRIVATE_LAYERS)
  list(APPEND private_headers PATTERN "src/weft/${layer}" EXCLUDE)
endforeach()
install(DIRECTORY src/weft DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h" PATTERN "*.def" ${private_headers})

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/weft)
install(EXPORT weftTargets NAMESPACE weft:: DESTINATION ${package_dir})
get_target_property(weft_type weft TYPE)
configure_package_config_file(cmake/weftConfig.cmake.in weftConfig.cmake INSTALL_DESTINATION ${package_dir}
                              NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(weftConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${WEFT_BINARY_DIR}/weftConfig.cmake ${WEFT_BINARY_DIR}/weftConfigVersion.cmake
              cmake/FindOneDNN.cmake cmake/FindWeftLLVM.cmake cmake/WeftAot.cmake DESTINATION ${package_dir})

# A static library hands its own dependencies to whoever links it.
set(pc_libs "-lweft")
if(weft_type STREQUAL "STATIC_LIBRARY")
  if(WEFT_HAVE_ONEDNN)
    string(APPEND pc_libs " -ldnnl -l:libgomp.so.1")
  endif()
  if(WEFT_HAVE_LLVM)
    # By path: not where linkers look.
    get_target_property(llvm_library WeftLLVM::LLVM IMPORTED_LOCATION)
    string(APPEND pc_libs " ${llvm_library}")
  endif()
  string(APPEND pc_libs " -pthread")
endif()
file(RELATIVE_PATH pc_prefix /p/${CMAKE_INSTALL_LIBDIR}/pkgconfig /p)
configure_file(cmake/weft.pc.in weft.pc @ONLY)
install(FILES ${WEFT_BINARY_DIR}/weft.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
