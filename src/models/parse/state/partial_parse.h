#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "models/command/invocation.h"
#include "models/parse/package_files.h"
#include "models/parse/state/parse_state.h"

namespace shaduf::models {

// Parses again only what changed since an earlier parse. What a parse depends on, and what is done when it differs:
//
//   the program, the target with its output, --vars, packages, dbt_project.yml of each   everything is parsed
//   environment variables that were read                                                  everything
//   a file that came or went; YAML, macros, docs, snapshots, fixtures, .py                everything
//   the text of a model, singular test, analysis or seed                                  its node, unless what others
//                                                                                         see of it changes: then all
//   a node that read the time, an id or flags while it was parsed                         it, always
//   anything that is wrong: an error, a warning where there was none                      everything
//
// A file is taken for unchanged when its size, inode and both its times are those of then and these times are older
// than that parse by more than two seconds; of any other one the contents are compared.
class PartialParse {
public:
    // Begins to read the state, on a thread of its own.
    PartialParse(Invocation& invocation, std::string path);
    ~PartialParse();
    PartialParse(const PartialParse&) = delete;
    PartialParse& operator=(const PartialParse&) = delete;

    enum class Outcome : uint8_t {
        parsed,   // the manifest and the findings are as of a parse from nothing
        refused,  // they are as they were before
    };
    // REQUIRES: the packages have their files, and no bodies
    Outcome run(const std::vector<PackageFiles>& packages, Findings& findings);
    size_t changes() const { return changes_.size(); }  // files that were parsed
    // What the state holds, with files as they are now: worth its writing, when their contents had to be read to know
    // that they are the same. nullptr: it is not.
    const StateHead* renewed() const { return renewed_ ? &*renewed_ : nullptr; }

private:
    struct Change {
        size_t package;
        size_t file;  // SIZE_MAX: its hooks
    };
    bool knows_world() const;
    bool compare(const std::vector<PackageFiles>& packages);
    bool compare_contents(const PackageFiles& package, size_t index, const std::vector<size_t>& suspects);
    bool add_macros_of(const std::vector<PackageFiles>& packages, Manifest& manifest);
    bool add_restless(const std::vector<PackageFiles>& packages);
    bool warned_of_changes(const std::vector<PackageFiles>& packages) const;
    std::vector<PackageFiles> parts_to_parse(const std::vector<PackageFiles>& packages) const;
    bool parse_changes(const std::vector<PackageFiles>& packages);
    bool take_place(std::unique_ptr<Node> node);
    bool link_changes(Manifest& manifest) const;

    Invocation& invocation_;
    Manifest loaded_;
    std::unique_ptr<ParseState> state_;
    bool is_loaded_ = false;
    std::optional<StateHead> renewed_;
    std::vector<Change> changes_;
    std::vector<Node*> placed_;
    std::thread loading_;
};

// All that a parse depends on beside files and variables, as a hash.
std::string fingerprint_of(Invocation& invocation);

}  // namespace shaduf::models
