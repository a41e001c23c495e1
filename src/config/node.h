#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace shaduf {

// A value of a YAML document that remembers its line. Map keys keep their order. A small immutable value.
class Node {
public:
    enum class Kind { null, scalar, list, map };
    struct Entry;

    Node() = default;  // null, nowhere
    static Node null(Place place);
    static Node scalar(std::string text, bool quoted, Place place);
    static Node list(std::vector<Node> items, Place place);
    static Node map(std::vector<Entry> entries, Place place);

    // Reads a document (the first of a stream). `file` is named in errors. invalid_config with line for broken YAML, a
    // key given twice, an alias that contains itself, nesting deeper than 64, or more than a million values. "<<"
    // merges maps.
    static Result<Node> parse_yaml(std::string_view text, const std::string& file);
    static Result<Node> load_yaml(const std::string& path, const std::string& shown_as);
    static Result<Node> load_yaml(const std::string& path) { return load_yaml(path, path); }

    Kind kind() const;
    bool is_null() const { return kind() == Kind::null; }
    bool is_scalar() const { return kind() == Kind::scalar; }
    bool is_list() const { return kind() == Kind::list; }
    bool is_map() const { return kind() == Kind::map; }
    const Place& place() const;

    const std::string& text() const;            // of a scalar; "" for all others
    bool is_quoted() const;                     // a quoted scalar is never a number, a bool or null
    const std::vector<Node>& items() const;     // of a list; empty for all others
    const std::vector<Entry>& entries() const;  // of a map; empty for all others
    // The value under `key`; null Node when it is not there.
    const Node& operator[](std::string_view key) const;
    bool has(std::string_view key) const;
    const Place& place_of_key(std::string_view key) const;

    std::string to_json() const;

private:
    struct State;
    std::shared_ptr<const State> state_;
};

struct Node::Entry {
    std::string key;
    Place key_place;
    Node value;
};

}  // namespace shaduf
