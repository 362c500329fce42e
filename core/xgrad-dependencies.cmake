# Finds what the library is linked with. Included by CMakeLists.txt and, for the static library only, by the installed
# package: a shared libxgrad carries its own dependencies.
#
# Defines xgrad::openblas, and xgrad::dnnl where XGRAD_WITH_ONEDNN. Debian's own dnnl-config.cmake asks for OpenCL's
# development files, which nothing here needs, so both are looked up by hand.
find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)  # linked, not header-only: that would be five seconds in each of our source files

find_path(XGRAD_CBLAS_INCLUDE_DIR cblas.h PATH_SUFFIXES openblas openblas-pthread)
find_library(XGRAD_OPENBLAS_LIBRARY openblas)
mark_as_advanced(XGRAD_CBLAS_INCLUDE_DIR XGRAD_OPENBLAS_LIBRARY)
if(NOT XGRAD_CBLAS_INCLUDE_DIR OR NOT XGRAD_OPENBLAS_LIBRARY)
  message(FATAL_ERROR "xgrad: OpenBLAS not found (Debian: libopenblas-dev): run ./setup.sh")
endif()
if(NOT TARGET xgrad::openblas)
  add_library(xgrad::openblas UNKNOWN IMPORTED)
  set_target_properties(xgrad::openblas PROPERTIES
    IMPORTED_LOCATION "${XGRAD_OPENBLAS_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${XGRAD_CBLAS_INCLUDE_DIR}")
endif()

if(XGRAD_WITH_ONEDNN)
  find_path(XGRAD_DNNL_INCLUDE_DIR dnnl.h)
  find_library(XGRAD_DNNL_LIBRARY dnnl)
  mark_as_advanced(XGRAD_DNNL_INCLUDE_DIR XGRAD_DNNL_LIBRARY)
  if(NOT XGRAD_DNNL_INCLUDE_DIR OR NOT XGRAD_DNNL_LIBRARY)
    message(FATAL_ERROR "xgrad: oneDNN not found (Debian: libdnnl-dev): run ./setup.sh, or -DXGRAD_WITH_ONEDNN=OFF")
  endif()
  if(NOT TARGET xgrad::dnnl)
    add_library(xgrad::dnnl UNKNOWN IMPORTED)
    set_target_properties(xgrad::dnnl PROPERTIES
      IMPORTED_LOCATION "${XGRAD_DNNL_LIBRARY}"
      INTERFACE_INCLUDE_DIRECTORIES "${XGRAD_DNNL_INCLUDE_DIR}")
  endif()
endif()
