#include "connectors/ads/json_rows.h"

#include <nlohmann/json.hpp>

namespace shaduf::ads {
namespace {

std::string quoted(const std::string& text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// Behind the brace that opens an object.
bool is_empty_object(std::string_view object) { return object.find_first_not_of(" \t\r\n", 1) == object.rfind('}'); }

}  // namespace

std::string json_members(std::span<const std::pair<std::string, std::string>> members) {
    std::string text;
    for (const auto& [name, value] : members) {
        if (!text.empty()) text += ',';
        text += quoted(name) + ":" + quoted(value);
    }
    return text;
}

RawRows rows_with_members(std::string_view text, std::span<const RawRows::Span> rows, std::string_view members,
                          std::string place) {
    RawRows out;
    BufferBuilder buffer;
    size_t bytes = 0;
    for (const RawRows::Span& row : rows) bytes += row.length + members.size() + 2;
    buffer.reserve(bytes);
    out.rows.reserve(rows.size());
    for (const RawRows::Span& row : rows) {
        const std::string_view object = text.substr(row.offset, row.length);
        const size_t start = buffer.size();
        if (members.empty() || !object.starts_with('{')) {
            buffer.append(object);
        } else {
            buffer.append("{");
            buffer.append(members);
            if (!is_empty_object(object)) buffer.append(",");
            buffer.append(object.substr(1));
        }
        out.rows.push_back({static_cast<uint32_t>(start), static_cast<uint32_t>(buffer.size() - start)});
        buffer.append("\n");
    }
    out.text = buffer.finish();
    out.place = std::move(place);
    return out;
}

}  // namespace shaduf::ads
