# The flags that all our code is built with; third-party headers are system headers and stay out of it. What is built to
# be used is built whatever warnings another compiler finds.
add_library(shaduf_warnings INTERFACE)
target_compile_options(shaduf_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow $<$<NOT:$<CONFIG:Release>>:-Werror>
    -Wno-missing-field-initializers)
# GCC 12 sees overlaps in string concatenations that are none (bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(shaduf_warnings INTERFACE -Wno-restrict)
endif()
if(SHADUF_SANITIZE)
    # What sanitizers add hides from GCC 12 that an optional was checked before it is read.
    target_compile_options(shaduf_warnings INTERFACE -fsanitize=${SHADUF_SANITIZE} -fno-omit-frame-pointer
        $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
    target_link_options(shaduf_warnings INTERFACE -fsanitize=${SHADUF_SANITIZE})
endif()
find_program(MOLD mold)
if(MOLD)
    target_link_options(shaduf_warnings INTERFACE -fuse-ld=mold)
endif()
