# <folder>/<name>.cc defines `extern const <spec> <kind>_<name>`; from the file names this writes builtin_<kind>s(),
# so that a new file needs no other edit, and one without its spec is a link error that names it.
function(shaduf_builtins target kind spec header folder)
    file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cc)
    set(declarations "")
    set(addresses "")
    foreach(file IN LISTS files)
        cmake_path(GET file STEM name)
        string(APPEND declarations "extern const ${spec} ${kind}_${name};\n")
        string(APPEND addresses "&${kind}_${name}, ")
    endforeach()
    set(list ${PROJECT_BINARY_DIR}/generated/builtin_${kind}s.cc)
    file(CONFIGURE OUTPUT ${list} CONTENT "#include \"${header}\"\nnamespace shaduf {\n${declarations}\
Registry<${spec}> builtin_${kind}s() { return Registry<${spec}>({${addresses}}); }\n}\n")
    target_sources(${target} PRIVATE ${list})
endfunction()
