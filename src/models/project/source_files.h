#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/project/findings.h"
#include "models/project/project.h"

namespace shaduf::models {

enum class FileType : uint8_t {
    macro,
    model,  // .sql and .py
    snapshot,
    analysis,
    singular_test,
    generic_test,  // <test path>/generic
    seed,
    docs,      // .md
    schema,    // .yml and .yaml
    fixture,   // <test path>/fixtures, .csv and .sql
    function,  // .sql and .py
};
std::string_view to_string(FileType type);

// One file in the part that it plays; a file may play several.
struct SourceFile {
    FileType type = FileType::model;
    std::string path;            // "models/staging/a.sql": the folder as the project gives it, and what is below
    uint32_t searched_size = 0;  // how much of it is that folder
    uint64_t bytes = 0;
    int64_t modified_ns = 0;  // since 1970, UTC
    int64_t changed_ns = 0;   // of the inode
    uint64_t inode = 0;

    std::string_view searched_path() const { return std::string_view(path).substr(0, searched_size); }
    std::string_view relative_path() const;  // below it: "staging/a.sql"
    std::string_view extension() const;      // ".sql"
};

// All files of a package, one pass over its folders: by type, then in the order of the project's folders, .sql before
// .py, then by path. Names that begin with . # or ~ do not count, nor what .dbtignore names; links to folders are not
// followed. A folder that is not there is empty. Thread-safe.
std::vector<SourceFile> find_source_files(const Project& project, Findings& findings);

// What a file holds as dbt sees it: without white space around it.
struct FileBody {
    std::string_view contents;
    uint32_t lines_before = 0;  // lines that the file has before `contents`
    // Of the contents, in hex as in the manifest: "sha256". Of a seed over 1 MB, which is not read: the path, named
    // "path".
    std::string checksum;
    std::string_view checksum_name;
};

// The contents of many files; views into it live as long as it does.
class FileBodies {
public:
    const FileBody& operator[](size_t at) const { return bodies_[at]; }
    size_t size() const { return bodies_.size(); }

private:
    friend class BodyReader;
    friend FileBodies read_bodies(const std::string&, std::span<const SourceFile>, size_t, Findings&);
    std::vector<FileBody> bodies_;
    std::vector<std::unique_ptr<char[]>> blocks_;
};

// Reads files by so many threads. One that cannot be read, is over 64 MB or is no UTF-8 is an error in `findings`, in
// the order of `files`, and has an empty body.
FileBodies read_bodies(const std::string& root, std::span<const SourceFile> files, size_t threads, Findings& findings);

}  // namespace shaduf::models
