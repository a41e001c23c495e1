#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/node.h"

namespace shaduf {

enum class FieldType {
    text,
    integer,
    number,
    boolean,
    duration,     // "90s", "28d"
    bytes,        // "256MB"
    text_list,    // also a single text
    text_map,     // name: text
    object,       // a map with fields of its own: `children`
    object_list,  // a list of such maps; also a single one
    object_map,   // name: such a map
    any,          // read by the owner through Options::node, references and all
    json,         // anything, references replaced; read through Options::node, as JSON
};

// One option of a connection, a stream, a command. One table of these feeds the parser, `shaduf check`, the docs, and
// forms. Static data: string literals and static arrays only.
struct FieldSpec {
    std::string_view name;
    FieldType type = FieldType::text;
    std::string_view help = {};  // one sentence, says the unit; never empty
    bool required = false;
    std::string_view default_value = {};  // as the user would write it; "" is none
    bool secret = false;                  // never printed, never logged
    std::span<const std::string_view> choices = {};
    std::span<const FieldSpec> children = {};
    std::string_view example = {};
};

// Replaces ${env:NAME} and ${secret:NAME} in a text. invalid_config when a name is unknown.
using ValueResolver = std::function<Result<std::string>(std::string_view text, const Place& place)>;

// The values of a table of fields, checked: each known, of its type, required ones there. Getters are for fields of the
// table only; asking for another, or by the wrong type, is a bug. Immutable; thread-safe.
class Options {
public:
    Options() = default;
    // All errors at once, each with its line: unknown key (with the nearest known), wrong type, not one of the choices,
    // required but missing, unresolved ${...}.
    static std::vector<Error> create(std::span<const FieldSpec> fields, const Node& node, const ValueResolver& resolve,
                                     Options& out);

    // Whether the user gave it (a default does not count).
    bool has(std::string_view name) const;
    std::string text(std::string_view name) const;  // "" when there is none
    int64_t integer(std::string_view name) const;   // 0 when there is none
    double number(std::string_view name) const;
    bool boolean(std::string_view name) const;
    std::chrono::milliseconds duration(std::string_view name) const;
    uint64_t bytes(std::string_view name) const;
    std::vector<std::string> text_list(std::string_view name) const;
    std::vector<std::pair<std::string, std::string>> text_map(std::string_view name) const;
    const Options& object(std::string_view name) const;  // one with only defaults when there is none
    const std::vector<Options>& object_list(std::string_view name) const;
    const std::vector<std::pair<std::string, Options>>& object_map(std::string_view name) const;
    // `any`: as written, references not replaced. `json`: with all of them replaced, in unquoted texts also by numbers.
    const Node& node(std::string_view name) const;

    // Of a `json` or a `text_map`: what references in it stand for, all of which may be secrets.
    std::vector<std::string> referenced_texts(std::string_view name) const;

    const Place& place() const { return place_; }
    Place place_of(std::string_view name) const;
    // An invalid_config error at the line of field `name`.
    Error error(std::string_view name, std::string message) const;

private:
    friend class OptionsReader;
    struct Value;
    const Value* find(std::string_view name, FieldType type) const;

    Place place_;
    std::span<const FieldSpec> fields_;
    std::map<std::string, std::shared_ptr<const Value>, std::less<>> values_;
};

}  // namespace shaduf
