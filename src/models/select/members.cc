#include "models/select/members.h"

#include <algorithm>
#include <bit>

#include "base/text.h"

namespace shaduf::models {

std::vector<std::string> Member::tags() const {
    if (node != nullptr) return node->tags;
    if (source != nullptr) return source->tags;
    if (declaration != nullptr) return declaration->tags;
    std::vector<std::string> tags;
    const jinja::Value set = unit_test->config.get("tags");
    if (set.is_string()) tags.push_back(set.string());
    if (set.kind() == jinja::Kind::list) {
        for (const jinja::Value& tag : set.items()) tags.push_back(tag.text());
    }
    return tags;
}

bool MemberSet::empty() const {
    return std::all_of(words_.begin(), words_.end(), [](uint64_t word) { return word == 0; });
}

MemberSet& MemberSet::operator|=(const MemberSet& other) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
    return *this;
}

MemberSet& MemberSet::operator&=(const MemberSet& other) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
    return *this;
}

MemberSet& MemberSet::operator-=(const MemberSet& other) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] &= ~other.words_[i];
    return *this;
}

std::vector<uint32_t> MemberSet::indexes() const {
    std::vector<uint32_t> indexes;
    for (size_t i = 0; i < words_.size(); ++i) {
        for (uint64_t word = words_[i]; word != 0; word &= word - 1) {
            indexes.push_back(static_cast<uint32_t>(i * 64 + static_cast<size_t>(std::countr_zero(word))));
        }
    }
    return indexes;
}

Members::Members(const Manifest& manifest) {
    for (const auto& node : manifest.nodes) add(*node);
    for (const auto& source : manifest.sources) add(*source);
    for (const auto& declaration : manifest.declarations) add(*declaration);
    for (const auto& test : manifest.unit_tests) add(*test);
    link();
}

void Members::add(const Node& node) {
    Member& member = members_.emplace_back();
    member.type = node.type;
    member.unique_id = node.unique_id;
    member.package = node.package;
    member.name = node.name;
    member.node = &node;
    member.place = &node.place;
    member.fqn = &node.fqn;
    member.patch_path = node.patch_path;
    member.config = &node.config;
    if (node.type != ResourceType::seed) member.reads = &node.depends_on_nodes;
    member.macros = &node.depends_on_macros;
}

void Members::add(const SourceTable& source) {
    Member& member = members_.emplace_back();
    member.type = ResourceType::source;
    member.unique_id = source.unique_id;
    member.package = source.package;
    member.name = source.name;
    member.source = &source;
    member.place = &source.place;
    member.fqn = &source.fqn;
    member.patch_path = source.patch_path;
    member.config = &source.config;
}

void Members::add(const Declaration& declaration) {
    Member& member = members_.emplace_back();
    member.type = declaration.type;
    member.unique_id = declaration.unique_id;
    member.package = declaration.package;
    member.name = declaration.name;
    member.declaration = &declaration;
    member.place = &declaration.place;
    member.fqn = &declaration.fqn;
    member.config = &declaration.config;
    member.reads = &declaration.depends_on_nodes;
    member.macros = &declaration.depends_on_macros;
}

void Members::add(const UnitTest& test) {
    Member& member = members_.emplace_back();
    member.type = ResourceType::unit_test;
    member.unique_id = test.unique_id;
    member.package = test.package;
    member.name = test.name;
    member.unit_test = &test;
    member.place = &test.place;
    member.fqn = &test.fqn;
    member.config = &test.config;
    member.reads = &test.depends_on_nodes;
    member.macros = &test.depends_on_macros;
}

void Members::link() {
    by_id_.reserve(members_.size());
    fqn_texts_.reserve(members_.size());
    for (uint32_t i = 0; i < members_.size(); ++i) {
        by_id_.emplace(members_[i].unique_id, i);
        fqn_texts_.push_back(join(*members_[i].fqn, "."));
    }
    parents_.resize(members_.size());
    children_.resize(members_.size());
    for (uint32_t i = 0; i < members_.size(); ++i) {
        if (members_[i].reads == nullptr) continue;
        for (const std::string& read : *members_[i].reads) {
            const auto parent = find(read);
            if (!parent) continue;
            parents_[i].push_back(*parent);
            children_[*parent].push_back(i);
        }
    }
}

std::optional<uint32_t> Members::find(std::string_view unique_id) const {
    const auto found = by_id_.find(unique_id);
    return found == by_id_.end() ? std::nullopt : std::optional(found->second);
}

MemberSet Members::reach(const MemberSet& from, Direction direction, std::optional<uint32_t> depth) const {
    const auto& edges = direction == Direction::before ? parents_ : children_;
    MemberSet reached(size());
    std::vector<uint32_t> layer = from.indexes();
    for (uint32_t step = 0; !layer.empty() && (!depth || step < *depth); ++step) {
        std::vector<uint32_t> next;
        for (const uint32_t at : layer) {
            for (const uint32_t neighbor : edges[at]) {
                if (reached.has(neighbor)) continue;
                reached.add(neighbor);
                next.push_back(neighbor);
            }
        }
        layer = std::move(next);
    }
    return reached;
}

}  // namespace shaduf::models
