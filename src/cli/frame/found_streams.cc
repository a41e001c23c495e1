#include "cli/frame/found_streams.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/json_writer.h"
#include "base/text.h"

namespace shaduf {
namespace {

constexpr std::string_view kDefaultSchema = "public";

bool is_plain(std::string_view name) {
    constexpr std::string_view kWords[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
    if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
    for (const auto word : kWords) {
        if (equals_ignoring_case(name, word)) return false;
    }
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    });
}

bool is_dotted_plain(std::string_view name) {
    const auto dot = name.find('.');
    return dot != std::string_view::npos && is_plain(name.substr(0, dot)) && is_plain(name.substr(dot + 1));
}

// A JSON text is a YAML text.
std::string yaml_key(const std::string& name) { return is_plain(name) ? name : JsonWriter().text(name).str(); }

// A value, where ${ would begin a reference.
std::string yaml_value(const std::string& name) {
    std::string escaped;
    for (size_t i = 0; i < name.size(); ++i) escaped += name.compare(i, 2, "${") == 0 ? "$$" : name.substr(i, 1);
    return is_plain(name) || is_dotted_plain(name) ? name : JsonWriter().text(escaped).str();
}

// Gives each name once, whatever its case: the second "a" is "a_2".
class Names {
public:
    std::string take(const std::string& wanted) {
        std::string name = wanted;
        for (int number = 2; !taken_.insert(to_lower(name)).second; ++number) {
            name = wanted + "_" + std::to_string(number);
        }
        return name;
    }

private:
    std::set<std::string> taken_;
};

// A column that by its name and type says when its row was last changed; "" when there is none.
std::string changed_at(const Schema& schema) {
    for (const auto* name :
         {"updated_at", "modified_at", "changed_at", "last_modified", "last_updated", "update_time"}) {
        for (const Field& field : schema.fields()) {
            const bool is_time =
                field.type.kind() == TypeKind::timestamp || field.type.kind() == TypeKind::timestamp_tz;
            if (is_time && equals_ignoring_case(field.name, name)) return field.name;
        }
    }
    return "";
}

struct SchemaPart {
    std::string schema;
    std::string streams;  // the lines below `streams:`
    bool has_streams = false;
    Names tables;
};

void add_stream(const StreamInfo& stream, const std::string& table, SchemaPart& part) {
    if (stream.schema && stream.schema->fields().empty()) {
        part.streams += "  # left out, it has no columns: " + JsonWriter().text(stream.name).str() + "\n";
        return;
    }
    std::vector<std::string> options{"mode: full_refresh"};
    std::vector<std::string> key;
    for (const auto& column : stream.key) key.push_back(yaml_value(column));
    if (!key.empty()) options.push_back("key: [" + join(key, ", ") + "]");
    if (table != stream.name) options.push_back("source_table: " + yaml_value(stream.name));
    const std::string own_table = part.tables.take(table);
    if (own_table != table) options.push_back("table: " + yaml_value(own_table));
    std::string line = "  " + yaml_key(table) + ": {" + join(options, ", ") + "}";
    if (stream.schema) {
        const size_t columns = stream.schema->fields().size();
        line += "  # " + std::to_string(columns) + (columns == 1 ? " column" : " columns");
        const std::string cursor = stream.key.empty() ? "" : changed_at(*stream.schema);
        if (!cursor.empty()) line += "; what is new alone: mode: incremental, cursor_field: " + cursor;
    }
    part.streams += line + "\n";
    part.has_streams = true;
}

std::string file_name_of(const std::string& schema) {
    std::string name;
    for (const char c : schema) name += is_plain(std::string("_") + c) ? c : '_';
    return name;
}

}  // namespace

std::vector<FoundPipeline> pipelines_of(const std::string& source, const std::vector<StreamInfo>& streams,
                                        std::span<const std::string_view> taken) {
    std::vector<SchemaPart> parts;
    std::map<std::string, size_t> number_of;
    for (const StreamInfo& stream : streams) {
        const auto dot = stream.name.find('.');
        const std::string schema = dot == std::string::npos ? std::string(kDefaultSchema) : stream.name.substr(0, dot);
        const auto [found, is_new] = number_of.emplace(schema, parts.size());
        if (is_new) parts.push_back({.schema = schema});
        add_stream(stream, dot == std::string::npos ? stream.name : stream.name.substr(dot + 1), parts[found->second]);
    }
    std::vector<FoundPipeline> pipelines;
    Names files;
    Names schemas;
    for (const auto name : taken) schemas.take(std::string(name));
    for (const SchemaPart& part : parts) {
        if (!part.has_streams) continue;
        std::string text =
            "# What the connection `" + source + "` had when this was made; yours to edit. Each table is " +
            "read whole and\n# replaced. With `mode: incremental` only rows are read whose cursor_field " +
            "is new, and merged by the key;\n# rows that are deleted at the source then stay.\n";
        text += "source: " + yaml_value(source) + "\nsink: warehouse\n";
        const std::string schema = schemas.take(part.schema);
        if (part.schema != kDefaultSchema) text += "schema: " + yaml_value(schema) + "\n";
        pipelines.push_back({files.take(file_name_of(part.schema)), text + "streams:\n" + part.streams});
    }
    return pipelines;
}

}  // namespace shaduf
