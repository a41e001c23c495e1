# Writes a .cc that holds every file under templates/, so that `shaduf init` needs nothing but the binary. Its list is
# made when CMake runs; a change of a file makes it run again.
function(shaduf_embed_templates target)
    set(folder ${PROJECT_SOURCE_DIR}/templates)
    file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE ${folder} ${folder}/*)
    set(entries "")
    foreach(file IN LISTS files)
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/templates/${file})
        file(READ ${PROJECT_SOURCE_DIR}/templates/${file} hex HEX)
        string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
        string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" literal "${hex}")
        string(REPLACE "\n" "\"\n\"" literal "${literal}")
        string(APPEND entries "    {\"${file}\", std::string_view(\"${literal}\", ")
        file(SIZE ${PROJECT_SOURCE_DIR}/templates/${file} size)
        string(APPEND entries "${size})},\n")
    endforeach()
    set(out ${PROJECT_BINARY_DIR}/generated/templates.cc)
    file(CONFIGURE OUTPUT ${out} CONTENT "#include \"cli/frame/templates.h\"\nnamespace shaduf {\nnamespace {\n\
constexpr TemplateFile kFiles[] = {\n${entries}};\n}\n\
std::span<const TemplateFile> template_files() { return kFiles; }\n}\n" @ONLY)
    target_sources(${target} PRIVATE ${out})
    set_source_files_properties(${out} PROPERTIES COMPILE_OPTIONS -Wno-overlength-strings)
endfunction()
