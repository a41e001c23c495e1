#include "connectors/kafka/payloads.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/text.h"
#include "data/decimal.h"

namespace shaduf::kafka {
namespace {

constexpr uint32_t kNone = ReaderFinder::Found::kNone;

Error bad_message(std::string why) { return {ErrorKind::bad_data, std::move(why)}; }

void append_null_row(RecordBatchBuilder& rows) {
    for (size_t i = 0; i < rows.schema()->size(); ++i) rows.column(i).append_null();
    rows.end_row();
}

// Reads one payload; what cannot be read becomes a row of nulls.
void read_one(const PayloadReader& reader, std::string_view payload, size_t row, RecordBatchBuilder& rows,
              std::vector<RejectedRow>& rejected) {
    auto why = reader.read(payload, rows);
    if (!why) [[likely]]
        return rows.end_row();
    rows.undo_row();
    append_null_row(rows);
    rejected.push_back({row, bad_message(std::move(*why))});
}

std::string_view payload_of(const Messages& messages, const Payloads::One& one) {
    return messages.bytes->view().substr(one.offset, one.length);
}

// The readers that any row needs, by first sight.
std::vector<uint32_t> readers_used(const Payloads& payloads) {
    std::vector<uint32_t> used;
    uint32_t last = kNone;
    for (const auto& one : payloads.rows) {
        if (one.reader == last || one.reader == kNone) continue;
        last = one.reader;
        if (std::find(used.begin(), used.end(), last) == used.end()) used.push_back(last);
    }
    return used;
}

RecordBatch decode_alike(const Messages& messages, const Payloads& payloads, const PayloadReader& reader,
                         std::vector<RejectedRow>& rejected) {
    RecordBatchBuilder rows(reader.schema());
    size_t bytes = 0;
    for (const auto& one : payloads.rows) bytes += one.length;
    for (size_t i = 0; i < reader.schema()->size(); ++i) {
        rows.column(i).reserve(payloads.rows.size(), bytes / reader.schema()->size());
    }
    for (size_t row = 0; row < payloads.rows.size(); ++row) {
        const auto& one = payloads.rows[row];
        if (one.reader == kNone) {
            append_null_row(rows);
        } else {
            read_one(reader, payload_of(messages, one), row, rows, rejected);
        }
    }
    return rows.finish();
}

// The union of schemas, and where each column of each of them went.
struct Union {
    std::vector<Field> fields;
    std::vector<std::vector<size_t>> places;  // by schema, by column
};

Union unite(const Payloads& payloads, const std::vector<uint32_t>& used) {
    Union all;
    for (const uint32_t reader : used) {
        std::vector<size_t> places;
        for (const Field& field : payloads.readers[reader]->schema()->fields()) {
            const auto known = std::find_if(all.fields.begin(), all.fields.end(), [&](const Field& other) {
                return equals_ignoring_case(other.name, field.name);
            });
            places.push_back(static_cast<size_t>(known - all.fields.begin()));
            if (known == all.fields.end()) {
                all.fields.push_back(field);
            } else {
                known->type = widen(known->type, field.type);
            }
        }
        all.places.push_back(std::move(places));
    }
    return all;
}

// Rows of one schema, apart from the others.
struct Group {
    std::vector<uint32_t> rows;  // as numbered in the payloads
    std::vector<Column> columns;
};

// Widened; decimals that have no place any more are rejected.
Column widened(Column column, const DataType& type, const Group& group, std::vector<RejectedRow>& rejected) {
    auto wide = widen_column(column, type);
    if (wide.ok()) return wide.release_value();
    CheckedDecimals checked = to_decimals(column, type);
    for (const uint32_t row : checked.misfits) rejected.push_back({group.rows[row], wide.error()});
    return std::move(checked.column);
}

Group decode_group(const Messages& messages, const Payloads& payloads, uint32_t reader,
                   std::vector<RejectedRow>& rejected) {
    Group group;
    RecordBatchBuilder builder(payloads.readers[reader]->schema());
    for (size_t row = 0; row < payloads.rows.size(); ++row) {
        const auto& one = payloads.rows[row];
        if (one.reader != reader) continue;
        group.rows.push_back(static_cast<uint32_t>(row));
        read_one(*payloads.readers[reader], payload_of(messages, one), row, builder, rejected);
    }
    group.columns = builder.finish().columns();
    return group;
}

void copy_value(const Column& from, size_t row, ColumnBuilder& to) {
    if (from.is_null(row)) return to.append_null();
    switch (from.type.kind()) {
        case TypeKind::boolean: return to.append_boolean(from.boolean_at(row));
        case TypeKind::int64:
        case TypeKind::time:
        case TypeKind::timestamp:
        case TypeKind::timestamp_tz: return to.append_int64(from.int64_at(row));
        case TypeKind::float64: return to.append_float64(from.float64_at(row));
        case TypeKind::decimal: return to.append_decimal(from.decimal_at(row));
        case TypeKind::date: return to.append_date(from.date_at(row));
        case TypeKind::uuid: return to.append_uuid(from.uuid_at(row));
        case TypeKind::string:
        case TypeKind::bytes:
        case TypeKind::json: return to.append_text(from.text_at(row));
        case TypeKind::list: {
            const auto* at = from.offsets->as<int32_t>();
            for (int32_t item = at[row]; item < at[row + 1]; ++item) {
                copy_value(from.children[0], static_cast<size_t>(item), to.child(0));
            }
            return to.append_list();
        }
        case TypeKind::structure:
            for (size_t i = 0; i < from.children.size(); ++i) copy_value(from.children[i], row, to.child(i));
            return to.append_structure();
    }
}

// Puts the rows of all groups back into their order.
Column merge_column(const DataType& type, const std::vector<Group>& groups, const std::vector<const Column*>& sources,
                    size_t rows) {
    struct From {
        const Column* column = nullptr;
        uint32_t row = 0;
    };
    std::vector<From> origins(rows);
    for (size_t group = 0; group < groups.size(); ++group) {
        if (sources[group] == nullptr) continue;
        for (uint32_t i = 0; i < groups[group].rows.size(); ++i) origins[groups[group].rows[i]] = {sources[group], i};
    }
    ColumnBuilder builder(type);
    for (const From& from : origins) {
        if (from.column == nullptr) {
            builder.append_null();
        } else {
            copy_value(*from.column, from.row, builder);
        }
    }
    return builder.finish();
}

RecordBatch decode_mixed(const Messages& messages, const Payloads& payloads, const std::vector<uint32_t>& used,
                         std::vector<RejectedRow>& rejected) {
    Union all = unite(payloads, used);
    std::vector<Group> groups;
    for (size_t i = 0; i < used.size(); ++i) {
        Group group = decode_group(messages, payloads, used[i], rejected);
        for (size_t column = 0; column < group.columns.size(); ++column) {
            const DataType& type = all.fields[all.places[i][column]].type;
            group.columns[column] = widened(std::move(group.columns[column]), type, group, rejected);
        }
        groups.push_back(std::move(group));
    }
    std::vector<Column> columns;
    for (size_t place = 0; place < all.fields.size(); ++place) {
        std::vector<const Column*> sources(groups.size(), nullptr);
        for (size_t i = 0; i < groups.size(); ++i) {
            const auto at = std::find(all.places[i].begin(), all.places[i].end(), place);
            if (at != all.places[i].end()) {
                sources[i] = &groups[i].columns[static_cast<size_t>(at - all.places[i].begin())];
            }
        }
        columns.push_back(merge_column(all.fields[place].type, groups, sources, payloads.rows.size()));
    }
    return {std::make_shared<const Schema>(std::move(all.fields)), std::move(columns), payloads.rows.size()};
}

}  // namespace

Result<Payloads> find_payloads(RunContext& run, ReaderFinder& finder, const Messages& messages, Part part,
                               const std::vector<uint32_t>& of) {
    const auto& spans = part == Part::key ? messages.keys : messages.values;
    const bool by_mark = part == Part::value && finder.goes_by_marks();
    const auto& headers = by_mark ? messages.marks : part == Part::key ? messages.key_schemas : messages.value_schemas;
    Payloads payloads;
    payloads.rows.reserve(of.size());
    for (const uint32_t message : of) {
        Payloads::One one;
        if (!spans.empty() && !spans[message].is_null()) {
            const Messages::Span& span = spans[message];
            const auto header = headers.empty() ? std::nullopt : messages.at(headers[message]);
            auto found = TRY(finder.find(run, *messages.at(span), header));
            if (found.reader == kNone) {
                payloads.refused.push_back({payloads.rows.size(), std::move(found.why)});
            } else {
                one = {found.reader, span.offset + found.skip, span.length - found.skip - found.drop};
            }
        }
        payloads.rows.push_back(one);
    }
    payloads.readers = finder.readers();
    return payloads;
}

EncodedRows::Decoded decode_payloads(const Messages& messages, const Payloads& payloads) {
    std::vector<RejectedRow> rejected;
    for (const auto& refused : payloads.refused) rejected.push_back({refused.row, bad_message(refused.why)});
    const auto used = readers_used(payloads);
    const auto rows = [&]() -> RecordBatch {
        if (used.empty()) return {std::make_shared<const Schema>(), {}, payloads.rows.size()};
        if (used.size() == 1) return decode_alike(messages, payloads, *payloads.readers[used[0]], rejected);
        return decode_mixed(messages, payloads, used, rejected);
    };
    RecordBatch batch = rows();
    std::stable_sort(rejected.begin(), rejected.end(), [](const auto& a, const auto& b) { return a.row < b.row; });
    const auto same = [](const RejectedRow& a, const RejectedRow& b) { return a.row == b.row; };
    rejected.erase(std::unique(rejected.begin(), rejected.end(), same), rejected.end());
    return {std::move(batch), std::move(rejected)};
}

DecodedColumn decode_as_column(const Messages& messages, const Payloads& payloads) {
    EncodedRows::Decoded decoded = decode_payloads(messages, payloads);
    const auto used = readers_used(payloads);
    const auto is_single = [&](uint32_t reader) { return payloads.readers[reader]->is_single(); };
    const bool all_single = std::all_of(used.begin(), used.end(), is_single);
    if (all_single && decoded.rows.columns().size() == 1) {
        return {decoded.rows.column(0), std::move(decoded.rejected)};
    }
    ColumnBuilder texts(TypeKind::json);
    auto next_rejected = decoded.rejected.begin();
    for (size_t row = 0; row < payloads.rows.size(); ++row) {
        const bool is_rejected = next_rejected != decoded.rejected.end() && next_rejected->row == row;
        if (is_rejected) ++next_rejected;
        const uint32_t reader = payloads.rows[row].reader;
        if (is_rejected || reader == kNone) {
            texts.append_null();
        } else if (is_single(reader)) {
            std::string text;
            const auto column = decoded.rows.schema()->index_of((*payloads.readers[reader]->schema())[0].name);
            append_json(decoded.rows.column(*column), row, text);
            texts.append_text(text);
        } else {
            texts.append_text(decoded.rows.row_as_json(row));
        }
    }
    return {texts.finish(), std::move(decoded.rejected)};
}

}  // namespace shaduf::kafka
