# The flags that all our code is built with; third-party headers are system headers and stay out of it. GCC 12 sees overlaps
# in std::string that are none (-Wrestrict, GCC bug 105329).
add_library(shaduf_warnings INTERFACE)
target_compile_options(shaduf_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wno-missing-field-initializers -Wno-restrict -Werror)
if(SHADUF_SANITIZE)
    target_compile_options(shaduf_warnings INTERFACE -fsanitize=${SHADUF_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(shaduf_warnings INTERFACE -fsanitize=${SHADUF_SANITIZE})
endif()
find_program(MOLD mold)
if(MOLD)
    target_link_options(shaduf_warnings INTERFACE -fuse-ld=mold)
endif()
