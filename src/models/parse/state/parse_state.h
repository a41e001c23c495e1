#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "models/manifest.h"
#include "models/parse/package_files.h"
#include "models/parse/state/archive.h"
#include "models/project/findings.h"

// What a parse leaves for the next one: <target>/partial_parse.shaduf. It is read by the binary that wrote it and by no
// other, checked as a whole, replaced whole, and may be deleted at any time. It holds SQL and no secrets: values of
// environment variables stand in it as hashes; only its owner may read it.
namespace shaduf::models {

// A file as it was when it was parsed. The texts live as long as the state.
struct KeptFile {
    FileType type = FileType::model;
    std::string_view path;
    uint64_t bytes = 0;
    int64_t modified_ns = 0, changed_ns = 0;
    uint64_t inode = 0;
    std::string_view checksum;
    uint32_t lines_before = 0;
};

struct KeptPackage {
    std::string name, root;
    std::vector<KeptFile> files;
};

struct KeptFinding {
    ErrorKind kind = ErrorKind::invalid_config;
    std::string message;
    std::string file;
    int line = 0;
};

// All but the resources.
struct StateHead {
    std::string binary;       // which program wrote it
    std::string fingerprint;  // of all that is neither a file nor a variable: see fingerprint_of
    std::string parse_id;
    std::vector<std::pair<std::string, std::string>> variables;  // hashed_variable of each
    int64_t looked_at_ns = 0;                                    // when the files were looked at
    std::vector<KeptPackage> packages;
    std::vector<KeptFinding> warnings;
    std::vector<std::string> restless;  // ids of nodes to parse in any case
};

// The file of an earlier parse. One thread.
class ParseState {
public:
    ~ParseState();
    ParseState(const ParseState&) = delete;
    ParseState& operator=(const ParseState&) = delete;

    // nullptr: there is none, or none that is whole and of this binary.
    static std::unique_ptr<ParseState> load(const std::string& path);
    const StateHead& head() const { return head_; }
    // Nodes, sources and all else but macros, into an empty manifest, by so many threads. False: it is not as it should
    // be, and the manifest is of no use.
    bool read_resources(size_t threads, Manifest& manifest) const;
    // What properties gave to macros. REQUIRES: the manifest has the macros of the same files. False: it has others.
    bool read_macros(Manifest& manifest) const;

private:
    ParseState(std::string_view mapped) : mapped_(mapped) {}
    bool open();

    const std::string_view mapped_;
    StateHead head_;
    std::vector<uint32_t> pool_sizes_, node_sizes_, disabled_sizes_;
    std::string_view macros_, others_, pool_, records_;
};

// Writes it beside and renames it. Nodes must have their records: number_records. False: it holds something that has
// no place in a file, or cannot be written; then there is none any more.
bool save_parse_state(const std::string& path, const StateHead& head, const Manifest& manifest);
// Gives each node its number in the state that is to be written.
void number_records(Manifest& manifest, std::string parse_id);

// This program, as it stands on the disk.
std::string binary_identity();
std::string hashed_variable(const std::optional<std::string>& value);

}  // namespace shaduf::models
