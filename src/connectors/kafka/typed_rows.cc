#include "connectors/kafka/typed_rows.h"

#include <algorithm>

#include "base/text.h"
#include "connectors/kafka/told_types.h"
#include "data/builder.h"
#include "data/utf8.h"
#include "io/crypto.h"

namespace shaduf::kafka {
namespace {

constexpr int64_t kMicrosPerMilli = 1000;

// The columns of a batch while they are put together.
struct Assembly {
    std::vector<Field> fields;
    std::vector<Column> columns;

    void add(std::string name, Column column) {
        fields.push_back({std::move(name), column.type});
        columns.push_back(std::move(column));
    }
    bool has(const std::string& name) const {
        return std::any_of(fields.begin(), fields.end(),
                           [&](const Field& field) { return equals_ignoring_case(field.name, name); });
    }
};

Column place_column(const TypedRows::Content& content, TypeKind kind) {
    ColumnBuilder builder(kind);
    size_t stretch = 0;
    const auto& stretches = content.messages->stretches;
    for (const uint32_t message : content.rows) {
        while (stretch + 1 < stretches.size() && stretches[stretch + 1].row <= message) ++stretch;
        if (kind == TypeKind::string) {
            builder.append_text(stretches[stretch].topic);
        } else {
            builder.append_int64(stretches[stretch].partition);
        }
    }
    return builder.finish();
}

Column header_column(const TypedRows::Content& content) {
    ColumnBuilder builder(TypeKind::json);
    for (const uint32_t message : content.rows) {
        const auto& headers = content.messages->headers;
        const auto text = headers.empty() ? std::nullopt : content.messages->at(headers[message]);
        if (text) {
            builder.append_text(*text);
        } else {
            builder.append_null();
        }
    }
    return builder.finish();
}

Column timestamp_column(const TypedRows::Content& content) {
    ColumnBuilder builder(TypeKind::timestamp_tz);
    for (const uint32_t message : content.rows) {
        const int64_t milliseconds = content.messages->timestamps_ms[message];
        if (milliseconds < 0) {
            builder.append_null();
        } else {
            builder.append_int64(milliseconds * kMicrosPerMilli);
        }
    }
    return builder.finish();
}

Column offset_column(const TypedRows::Content& content) {
    ColumnBuilder builder(TypeKind::int64);
    for (const uint32_t message : content.rows) builder.append_int64(content.messages->offsets[message]);
    return builder.finish();
}

Column tombstone_column(const TypedRows::Content& content) {
    ColumnBuilder builder(TypeKind::boolean);
    for (const uint32_t message : content.rows) builder.append_boolean(content.messages->values[message].is_null());
    return builder.finish();
}

void add_metadata(const TypedRows::Content& content, Assembly& to, std::vector<RejectedRow>& rejected) {
    const MetadataColumns& wanted = *content.metadata;
    const std::string& prefix = wanted.prefix;
    if (wanted.topic) to.add(prefix + "topic", place_column(content, TypeKind::string));
    if (wanted.partition) to.add(prefix + "partition", place_column(content, TypeKind::int64));
    if (wanted.offset) to.add(prefix + "offset", offset_column(content));
    if (wanted.timestamp) to.add(prefix + "timestamp", timestamp_column(content));
    if (wanted.key) {
        DecodedColumn keys = decode_as_column(*content.messages, content.keys);
        for (auto& [row, why] : keys.rejected) {
            rejected.push_back({row, Error(why.kind(), "the key cannot be read: " + why.message())});
        }
        to.add(prefix + "key", std::move(keys.column));
    }
    if (wanted.headers) to.add(prefix + "headers", header_column(content));
    if (wanted.tombstone) to.add(prefix + "tombstone", tombstone_column(content));
}

Payloads only_row(const Payloads& payloads, size_t row) {
    if (payloads.rows.empty()) return {};
    Payloads one{{payloads.rows[row]}, payloads.readers, {}};
    for (const auto& refused : payloads.refused) {
        if (refused.row == row) one.refused.push_back({0, refused.why});
    }
    return one;
}

}  // namespace

EncodedRows::Decoded TypedRows::decode() const {
    Decoded values = decode_payloads(*content_.messages, content_.values);
    std::vector<RejectedRow> rejected = std::move(values.rejected);
    if (content_.told != nullptr) values.rows = with_told_types(values.rows, *content_.told, rejected);
    Assembly all;
    add_metadata(content_, all, rejected);
    for (size_t i = 0; i < values.rows.columns().size(); ++i) {
        const std::string& name = (*values.rows.schema())[i].name;
        if (!all.has(name)) all.add(name, values.rows.column(i));
    }
    std::stable_sort(rejected.begin(), rejected.end(), [](const auto& a, const auto& b) { return a.row < b.row; });
    const auto same = [](const RejectedRow& a, const RejectedRow& b) { return a.row == b.row; };
    rejected.erase(std::unique(rejected.begin(), rejected.end(), same), rejected.end());
    auto schema = std::make_shared<const Schema>(std::move(all.fields));
    return {RecordBatch(std::move(schema), std::move(all.columns), rows()), std::move(rejected)};
}

TypedRows TypedRows::only(size_t row) const {
    return TypedRows({content_.messages,
                      {content_.rows[row]},
                      only_row(content_.values, row),
                      only_row(content_.keys, row),
                      content_.metadata,
                      content_.told,
                      content_.is_text});
}

std::string TypedRows::text(size_t row) const {
    const Decoded alone = only(row).decode();
    if (alone.rejected.empty()) return alone.rows.row_as_json(0);
    const auto value = content_.messages->at(content_.messages->values[content_.rows[row]]);
    if (value && content_.is_text && !find_invalid_utf8(*value)) return std::string(*value);
    return R"({"$bytes":")" + to_base64(value.value_or("")) + R"("})";
}

}  // namespace shaduf::kafka
