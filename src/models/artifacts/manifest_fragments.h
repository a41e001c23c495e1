#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace shaduf::models {

struct ContextServices;
struct Node;

// What the last manifest.json says of nodes that did not change since, so that it need not be made again: where in that
// file each record of a kept parse stands (<target>/partial_parse.index). Of use only while manifest.json is that very
// file. One thread.
class ManifestFragments {
public:
    // Those of an earlier command; none when anything is not as it was.
    explicit ManifestFragments(const ContextServices& services);
    ~ManifestFragments();
    ManifestFragments(const ManifestFragments&) = delete;
    ManifestFragments& operator=(const ManifestFragments&) = delete;

    // How much of the old file says what the new one is to say of `nodes`, from the value of the first one on: as many
    // of them as stand there one behind the other.
    struct Run {
        std::string_view text;
        size_t nodes = 0;
    };
    Run run_of(std::span<const std::unique_ptr<Node>> nodes) const;
    // Where the new file has what run_of gave.
    void note_run(std::span<const std::unique_ptr<Node>> nodes, uint64_t begin);
    // Where the new file has it.
    void note(const Node& node, uint64_t begin, uint64_t end);
    // Keeps what was noted of the manifest.json that stands there now. It is no error when it cannot.
    void save() const;

private:
    struct Fragment {
        uint64_t begin = 0;
        uint64_t size = 0;
    };
    void load();
    const Fragment* find(const Node& node) const;

    const ContextServices& services_;
    const std::string key_;  // of the parse, and of the flags that manifest.json depends on; "": nothing is kept
    std::vector<Fragment> known_, noted_;
    std::string_view text_;  // of the old manifest.json
};

}  // namespace shaduf::models
