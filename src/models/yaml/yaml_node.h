#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace shaduf::models {

enum class YamlKind : uint8_t {
    null,
    boolean,
    integer,      // of 64 bits
    big_integer,  // one that needs more: text() has its decimal digits
    real,
    text,
    date,      // text() as Python prints it: 2024-01-31
    datetime,  // text() as Python's isoformat: 2024-01-31T10:00:00.500000+02:00
    list,
    map,
};
std::string_view to_string(YamlKind kind);  // "a number", "a list", ...: for messages

struct YamlEntry;

// One value of a YAML document. A small plain value: copy it, or point at it. Its texts and children live in the tree
// that it came from, and are never changed: any number of threads may read.
class YamlNode {
public:
    YamlNode() = default;  // null, at no line

    YamlKind kind() const { return kind_; }
    bool is_null() const { return kind_ == YamlKind::null; }
    bool is_boolean() const { return kind_ == YamlKind::boolean; }
    bool is_integer() const { return kind_ == YamlKind::integer; }
    bool is_text() const { return kind_ == YamlKind::text; }
    bool is_list() const { return kind_ == YamlKind::list; }
    bool is_map() const { return kind_ == YamlKind::map; }
    // Whether a text was in quotes, or in a block.
    bool is_quoted() const { return quoted_; }

    // From 1; 0: made by a program.
    uint32_t line() const { return line_; }
    uint32_t column() const { return column_; }

    // REQUIRES: that kind
    bool boolean() const { return value_.boolean; }
    int64_t integer() const { return value_.integer; }
    double real() const { return value_.real; }
    // Of a text, date, datetime or big_integer; "" of any other.
    std::string_view text() const;
    // Empty for all but lists.
    std::span<const YamlNode> items() const;
    // In the order of the document; empty for all but maps. No two keys are equal.
    std::span<const YamlEntry> entries() const;
    // The value of a text key, or null when there is none, or this is no map.
    const YamlNode* find(std::string_view key) const;
    // The same with a null node for what is not there.
    const YamlNode& operator[](std::string_view key) const;
    // The key itself, for its place.
    const YamlNode* find_key(std::string_view key) const;

private:
    friend class YamlBuilder;
    const YamlEntry* find_entry(std::string_view key) const;

    union Value {
        int64_t integer = 0;
        bool boolean;
        double real;
        const char* text;
        const YamlNode* items;
        const YamlEntry* entries;  // behind them stands their index, when there are many
    } value_;
    uint32_t size_ = 0;
    uint32_t line_ = 0;
    uint32_t column_ = 0;
    YamlKind kind_ = YamlKind::null;
    bool quoted_ = false;
};

struct YamlEntry {
    YamlNode key;  // any scalar: YAML 1.1 reads `on:` as the boolean
    YamlNode value;
};

// Whether Python calls them equal: 1, 1.0 and true are.
bool operator==(const YamlNode& a, const YamlNode& b);
inline bool operator!=(const YamlNode& a, const YamlNode& b) { return !(a == b); }

// A key that stood twice in one map; the last value is the one that counts.
struct YamlDuplicate {
    std::string key;
    uint32_t line = 0;
    uint32_t first_line = 0;
};

// A whole document and all that its nodes point at. Immutable; copies share it.
class YamlTree {
public:
    YamlTree() = default;  // null
    const YamlNode& root() const { return root_; }
    const std::vector<YamlDuplicate>& duplicates() const;
    // What the tree holds in memory, in bytes.
    size_t bytes() const;

private:
    friend class YamlBuilder;
    struct Storage;
    YamlNode root_;
    std::shared_ptr<const Storage> storage_;
};

// As Python's json.dumps prints it, keys sorted when asked for; dates as texts.
enum class JsonKeys : uint8_t { as_they_stand, sorted };
std::string to_python_json(const YamlNode& node, JsonKeys keys = JsonKeys::as_they_stand);
// As Python's repr prints a float: 1.0, 1e+16, inf.
std::string python_float(double value);

}  // namespace shaduf::models
