#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "models/yaml/yaml_node.h"

namespace shaduf::models {

// Makes a tree from the outside in: one value at the top, lists and maps opened and closed, a map's keys and values in
// turn. For one thread. Asserts on calls out of order.
class YamlBuilder {
public:
    struct Place {
        uint32_t line = 0;
        uint32_t column = 0;
    };
    YamlBuilder();
    ~YamlBuilder();
    YamlBuilder(const YamlBuilder&) = delete;
    YamlBuilder& operator=(const YamlBuilder&) = delete;

    // Applies to what is added until the next call.
    void at(Place place) { place_ = place; }

    void add_null();
    void add_boolean(bool value);
    void add_integer(int64_t value);
    void add_real(double value);
    // Copied into the tree.
    void add_text(std::string_view text, bool quoted = true);
    void add_text(YamlKind kind, std::string_view text);  // date, datetime, big_integer
    // A value of another tree, of which only the top is copied: `keep` that tree, or let it outlive this one.
    void add(const YamlNode& node) { stack_.push_back(node); }
    void keep(const YamlTree& tree);

    void begin_list();
    void end_list();
    void begin_map();
    // Equal keys: the first keeps its place, the last gives the value; each is noted when `duplicates` says so. Keys
    // that merging ("<<") brought are added before the map's own, so that these win.
    enum class Duplicates : uint8_t { noted, silent };
    void end_map(Duplicates duplicates = Duplicates::silent);
    void key(std::string_view text) { add_text(text, false); }

    size_t depth() const { return open_.size(); }
    // The last value that was added, whole.
    const YamlNode& last() const { return stack_.back(); }
    // Takes it away again.
    YamlNode pop();

    // REQUIRES: exactly one value at the top, all closed. Ends the builder.
    YamlTree finish();

private:
    struct Open {
        size_t first;  // in stack_
        Place place;
    };
    void push(YamlKind kind, YamlNode::Value value, uint32_t size, bool quoted);
    std::string_view hold(std::string_view text);
    void* allocate(size_t bytes);
    size_t drop_duplicates(YamlEntry* entries, size_t count, Duplicates duplicates);

    std::shared_ptr<YamlTree::Storage> storage_;
    Place place_;
    std::vector<YamlNode> stack_;
    std::vector<Open> open_;
};

}  // namespace shaduf::models
