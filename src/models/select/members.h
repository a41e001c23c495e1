#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "models/manifest.h"

namespace shaduf::models {

// Something that can be selected: exactly one of the pointers is set. Points into the manifest.
struct Member {
    ResourceType type = ResourceType::model;
    std::string_view unique_id, package, name;
    const Node* node = nullptr;
    const SourceTable* source = nullptr;
    const Declaration* declaration = nullptr;
    const UnitTest* unit_test = nullptr;
    const FilePlace* place = nullptr;
    const std::vector<std::string>* fqn = nullptr;
    std::string_view patch_path;
    const NodeConfig* config = nullptr;
    const std::vector<std::string>* reads = nullptr;  // unique ids
    const std::vector<std::string>* macros = nullptr;

    bool is_versioned() const { return node != nullptr && node->version.has_value(); }
    std::vector<std::string> tags() const;
};

// A set of members, by their index. Cheap to combine.
class MemberSet {
public:
    explicit MemberSet(size_t size) : words_((size + 63) / 64) {}
    void add(size_t index) { words_[index / 64] |= uint64_t{1} << (index % 64); }
    bool has(size_t index) const { return (words_[index / 64] >> (index % 64) & 1U) != 0; }
    bool empty() const;
    MemberSet& operator|=(const MemberSet& other);
    MemberSet& operator&=(const MemberSet& other);
    MemberSet& operator-=(const MemberSet& other);
    bool operator==(const MemberSet&) const = default;
    std::vector<uint32_t> indexes() const;

private:
    std::vector<uint64_t> words_;
};

// Everything of a project that can be selected, and who reads whom. Immutable; outlived by the manifest.
class Members {
public:
    explicit Members(const Manifest& manifest);

    size_t size() const { return members_.size(); }
    const Member& operator[](size_t index) const { return members_[index]; }
    const std::vector<Member>& all() const { return members_; }
    std::optional<uint32_t> find(std::string_view unique_id) const;
    // "package.folder.name", the names joined.
    std::string_view fqn_text(size_t index) const { return fqn_texts_[index]; }
    const std::vector<uint32_t>& parents(size_t index) const { return parents_[index]; }
    const std::vector<uint32_t>& children(size_t index) const { return children_[index]; }

    // All that come before (or after) the members of `from`, at most so many steps; of `from` itself, those that do.
    enum class Direction : uint8_t { before, after };
    MemberSet reach(const MemberSet& from, Direction direction, std::optional<uint32_t> depth) const;

private:
    void add(const Node& node);
    void add(const SourceTable& source);
    void add(const Declaration& declaration);
    void add(const UnitTest& test);
    void link();

    std::vector<Member> members_;
    std::vector<std::string> fqn_texts_;
    std::vector<std::vector<uint32_t>> parents_, children_;
    std::unordered_map<std::string_view, uint32_t> by_id_;
};

}  // namespace shaduf::models
