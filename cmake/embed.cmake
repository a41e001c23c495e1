# Writes a .cc with the function `function` of `header`, which gives every file under `folder`, its path and content,
# so that the binary alone is enough. The list is made when CMake runs; a change of a file makes it run again.
function(shaduf_embed target folder out header function)
    set(root ${PROJECT_SOURCE_DIR}/${folder})
    file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE ${root} ${root}/*)
    list(FILTER files EXCLUDE REGEX "^README.md$|\\.(h|cc)$")
    set(entries "")
    foreach(file IN LISTS files)
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${root}/${file})
        file(READ ${root}/${file} hex HEX)
        string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
        string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" literal "${hex}")
        string(REPLACE "\n" "\"\n\"" literal "${literal}")
        string(APPEND entries "    {\"${file}\", std::string_view(\"${literal}\", ")
        file(SIZE ${root}/${file} size)
        string(APPEND entries "${size})},\n")
    endforeach()
    string(REGEX REPLACE "::[a-z_]+$" "" namespace "shaduf::${function}")
    string(REGEX REPLACE "^.*::" "" name "${function}")
    file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/${out} CONTENT "#include \"${header}\"\n\
#include <array>\nnamespace ${namespace} {\nnamespace {\n\
constexpr auto kFiles = std::to_array<EmbeddedFile>({\n${entries}});\n}\n\
std::span<const EmbeddedFile> ${name}() { return kFiles; }\n}\n" @ONLY)
    target_sources(${target} PRIVATE ${PROJECT_BINARY_DIR}/generated/${out})
    set_source_files_properties(${PROJECT_BINARY_DIR}/generated/${out} PROPERTIES
        COMPILE_OPTIONS -Wno-overlength-strings)
endfunction()

# The same for large files: the assembler takes them in as they are (.incbin), so that megabytes cost no time. A folder
# that is not there has no files.
function(shaduf_embed_large target folder out header function)
    set(root ${PROJECT_SOURCE_DIR}/${folder})
    file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE ${root} ${root}/*)
    set(blocks "")
    set(entries "")
    set(number 0)
    set(paths "")
    string(REGEX REPLACE "^.*::" "" name "${function}")
    foreach(file IN LISTS files)
        if(file MATCHES "\\.map$")
            continue()
        endif()
        list(APPEND paths ${root}/${file})
        string(APPEND blocks "asm(\".section .rodata\\n.balign 16\\n${name}_${number}:\\n\"\n\
    \".incbin \\\"${root}/${file}\\\"\\n${name}_${number}_end:\\n.byte 0\\n.previous\\n\");\n\
extern \"C\" const char shaduf_file_${number}[] asm(\"${name}_${number}\");\n\
extern \"C\" const char shaduf_file_${number}_end[] asm(\"${name}_${number}_end\");\n")
        string(APPEND entries "        {\"${file}\", {shaduf_file_${number}, \
static_cast<size_t>(shaduf_file_${number}_end - shaduf_file_${number})}},\n")
        math(EXPR number "${number} + 1")
    endforeach()
    string(REGEX REPLACE "::[a-z_]+$" "" namespace "shaduf::${function}")
    file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/${out} CONTENT "#include \"${header}\"\n\
#include <vector>\n${blocks}namespace ${namespace} {\n\
std::span<const EmbeddedFile> ${name}() {\n    static const std::vector<EmbeddedFile> files{\n${entries}    };\n\
    return files;\n}\n}\n" @ONLY)
    target_sources(${target} PRIVATE ${PROJECT_BINARY_DIR}/generated/${out})
    set_source_files_properties(${PROJECT_BINARY_DIR}/generated/${out} PROPERTIES OBJECT_DEPENDS "${paths}"
        COMPILE_OPTIONS -Wno-redundant-decls)
endfunction()
