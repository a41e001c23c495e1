# librdkafka: the one that scripts/setup has built under .deps/librdkafka where the system's is too old, else the
# system's. Defines RdKafka::RdKafka.
set(SHADUF_RDKAFKA ${PROJECT_SOURCE_DIR}/.deps/librdkafka)
include(FindPackageHandleStandardArgs)
if(EXISTS ${SHADUF_RDKAFKA}/lib/librdkafka.a)
    set(RDKAFKA_LIBRARY ${SHADUF_RDKAFKA}/lib/librdkafka.a)
    find_package_handle_standard_args(RdKafka REQUIRED_VARS RDKAFKA_LIBRARY)
    if(NOT TARGET RdKafka::RdKafka)
        add_library(RdKafka::RdKafka STATIC IMPORTED)
        set_target_properties(RdKafka::RdKafka PROPERTIES IMPORTED_LOCATION ${RDKAFKA_LIBRARY})
        target_include_directories(RdKafka::RdKafka INTERFACE ${SHADUF_RDKAFKA}/include)
        target_link_libraries(RdKafka::RdKafka INTERFACE OpenSSL::SSL OpenSSL::Crypto CURL::libcurl PkgConfig::ZSTD
            ZLIB::ZLIB Threads::Threads ${CMAKE_DL_LIBS} m)
    endif()
else()
    pkg_check_modules(RDKAFKA IMPORTED_TARGET rdkafka)
    set(RDKAFKA_LIBRARY ${RDKAFKA_LINK_LIBRARIES})
    find_package_handle_standard_args(RdKafka REQUIRED_VARS RDKAFKA_LIBRARY VERSION_VAR RDKAFKA_VERSION
        REASON_FAILURE_MESSAGE "run scripts/setup")
    if(RdKafka_FOUND AND NOT TARGET RdKafka::RdKafka)
        add_library(RdKafka::RdKafka ALIAS PkgConfig::RDKAFKA)
    endif()
endif()
