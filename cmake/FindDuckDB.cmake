# DuckDB's C library: one given by DUCKDB_ROOT, else one on the system, else the one that scripts/setup has put under
# .deps/duckdb. Defines DuckDB::DuckDB.
set(SHADUF_DUCKDB_HINTS ${DUCKDB_ROOT} $ENV{DUCKDB_ROOT})
find_path(DUCKDB_INCLUDE_DIR duckdb.h HINTS ${SHADUF_DUCKDB_HINTS} PATH_SUFFIXES include
    PATHS /usr/local /usr ${PROJECT_SOURCE_DIR}/.deps/duckdb)
find_library(DUCKDB_LIBRARY duckdb HINTS ${SHADUF_DUCKDB_HINTS} PATH_SUFFIXES lib
    PATHS /usr/local /usr ${PROJECT_SOURCE_DIR}/.deps/duckdb)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(DuckDB REQUIRED_VARS DUCKDB_LIBRARY DUCKDB_INCLUDE_DIR
    REASON_FAILURE_MESSAGE "run scripts/setup, or give -DDUCKDB_ROOT=<folder with duckdb.h and libduckdb.so>")
if(DuckDB_FOUND AND NOT TARGET DuckDB::DuckDB)
    add_library(DuckDB::DuckDB SHARED IMPORTED)
    set_target_properties(DuckDB::DuckDB PROPERTIES IMPORTED_LOCATION ${DUCKDB_LIBRARY}
        INTERFACE_INCLUDE_DIRECTORIES ${DUCKDB_INCLUDE_DIR})
endif()
