#include "connectors/postgres/key_ranges.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

namespace shaduf {
namespace {

// Below the first size a session more costs what it brings; about the second is what one range has of a large table, so
// that sessions end together, and rows that are neighbours in the key come near each other.
constexpr int64_t kRangeBytesMin = 4 << 20;
constexpr int64_t kRangeBytes = 32 << 20;
constexpr int64_t kRangesMax = 64;
constexpr int64_t kSampleBlocks = 256;
constexpr int kServerWithPartitions = 130'000;   // locks those of a table without asking for rights on each
constexpr int kServerWithBlockRanges = 140'000;  // ctid >= ... AND ctid < ... reads no more than these blocks

// Sessions lock the table, for which rights on each of its columns are not enough.
constexpr std::string_view kMayLock = "pg_catalog.has_table_privilege(c.oid, 'SELECT')";

int64_t integer_in(const std::optional<std::string>& text) {
    int64_t number = 0;
    if (text) std::from_chars(text->data(), text->data() + text->size(), number);
    return number;
}

// Where rows lie in the order of the key, a range of it costs its own size. Where they do not, the server reads the
// whole table for each, or jumps: then a session has just one.
size_t count_ranges(int64_t bytes, bool lies_in_order, size_t sessions) {
    const auto wanted = static_cast<int64_t>(sessions);
    const int64_t ranges = lies_in_order ? std::clamp(bytes / kRangeBytes, wanted, kRangesMax) : wanted;
    return static_cast<size_t>(std::max<int64_t>(std::min(ranges, bytes / kRangeBytesMin), 1));
}

Result<std::string> key_columns(const PostgresTable& table) {
    std::string columns;
    for (const size_t i : table.key) {
        columns += (columns.empty() ? "" : ", ") + TRY(postgres_identifier(table.fields[i].name));
    }
    return columns;
}

std::string key_values(const PostgresTable& table, const std::vector<std::string>& key) {
    std::string values;
    for (size_t i = 0; i < key.size(); ++i) {
        values += (i > 0 ? ", " : "") + table.fields[table.key[i]].literal(key[i]);
    }
    return values;
}

// "" for all rows.
Result<std::string> condition_of(const PostgresTable& table, const KeyRange& range) {
    const std::string columns = TRY(key_columns(table));
    std::string condition;
    if (!range.after.empty()) condition = "(" + columns + ") > (" + key_values(table, range.after) + ")";
    if (range.to.empty()) return condition;
    return condition + (condition.empty() ? "(" : " AND (") + columns + ") <= (" + key_values(table, range.to) + ")";
}

struct TableSize {
    int64_t bytes = 0;
    int64_t blocks = 0;
    bool lies_in_order = false;  // of the first column of the key, as far as the statistics know
};

Result<TableSize> size_of(PostgresConnection& connection, const PostgresTable& table) {
    // Of a partitioned table, all partitions together. What is stored out of line counts, but has no blocks to sample.
    const auto total_of = [&](const std::string& size) {
        std::string own = "pg_catalog." + size + "(c.oid)";
        if (connection.server_version() < kServerWithPartitions) return own;
        return "greatest(" + own + ", (SELECT sum(pg_catalog." + size +
               "(t.relid)) FROM pg_catalog.pg_partition_tree(c.oid) t))";
    };
    const auto found = TRY(connection.query(
        "SELECT " + total_of("pg_table_size") + ", " + total_of("pg_relation_size") +
            " / pg_catalog.current_setting('block_size')::int8, EXISTS (SELECT FROM pg_catalog.pg_stats s WHERE "
            "s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = $2 AND abs(s.correlation) > 0.9) "
            "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = "
            "pg_catalog.to_regclass($1) AND " +
            std::string(kMayLock),
        {table.quoted_name, table.fields[table.key.front()].name}));
    if (found.rows.empty()) return TableSize{};
    const auto& row = found.rows.front();
    return TableSize{integer_in(row[0]), integer_in(row[1]), row[2] == "t"};
}

// Keys inside of the range, ascending: every `ranges`-th part of a sample of the whole table begins behind one.
Result<std::vector<std::vector<std::string>>> sample_keys(PostgresConnection& connection, const PostgresTable& table,
                                                          const KeyRange& range, int64_t blocks, size_t ranges) {
    const std::string condition = TRY(condition_of(table, range));
    std::string named;
    std::string names;
    std::string texts;
    for (size_t i = 0; i < table.key.size(); ++i) {
        const std::string name = "k" + std::to_string(i);
        named += TRY(postgres_identifier(table.fields[table.key[i]].name)) + " AS " + name + ", ";
        names += (i > 0 ? ", " : "") + name;
        texts += (i > 0 ? ", " : "") + name + "::text";
    }
    const double percent =
        std::min(100.0, 100.0 * static_cast<double>(kSampleBlocks) / static_cast<double>(std::max<int64_t>(blocks, 1)));
    const auto found = TRY(connection.query(
        "WITH sample AS (SELECT " + named + "count(*) OVER () AS total, " + (condition.empty() ? "true" : condition) +
        " AS is_inside FROM " + table.quoted_name + " TABLESAMPLE SYSTEM (" + std::to_string(percent) +
        ")), numbered AS (SELECT *, row_number() OVER (ORDER BY " + names +
        ") AS number FROM sample WHERE is_inside) SELECT " + texts + " FROM numbered WHERE number % greatest(total / " +
        std::to_string(ranges) + ", 1) = 0 ORDER BY number"));
    std::vector<std::vector<std::string>> keys;
    for (const auto& row : found.rows) {
        auto& key = keys.emplace_back();
        for (const auto& value : row) key.push_back(value.value_or(""));
    }
    return keys;
}

std::vector<std::string> key_in(const nlohmann::json& range, const char* side) {
    return range.contains(side) ? range.at(side).get<std::vector<std::string>>() : std::vector<std::string>();
}

std::optional<std::vector<KeyRange>> parse_ranges(const std::string& text) {
    try {
        const auto json = nlohmann::json::parse(text);
        if (json.contains("key")) return std::vector{KeyRange{key_in(json, "key"), {}}};
        std::vector<KeyRange> ranges;
        for (const auto& range : json.at("ranges")) ranges.push_back({key_in(range, "after"), key_in(range, "to")});
        return ranges;
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

}  // namespace

Checkpoint key_checkpoint(const std::vector<KeyRange>& ranges) {
    std::vector<KeyRange> joined;
    for (const auto& range : ranges) {
        if (!joined.empty() && joined.back().to == range.after) {
            joined.back().to = range.to;
        } else {
            joined.push_back(range);
        }
    }
    nlohmann::ordered_json json;
    if (joined.size() == 1 && joined.front().to.empty()) {
        json["key"] = joined.front().after;
    } else {
        for (const auto& range : joined) {
            auto& item = json["ranges"].emplace_back(nlohmann::ordered_json::object());
            if (!range.after.empty()) item["after"] = range.after;
            if (!range.to.empty()) item["to"] = range.to;
        }
    }
    return Checkpoint(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

Result<std::vector<KeyRange>> parse_key_checkpoint(const Checkpoint& checkpoint, size_t columns) {
    auto ranges = parse_ranges(checkpoint.value());
    const auto fits = [&](const std::vector<std::string>& key) { return key.empty() || key.size() == columns; };
    bool all_fit = ranges && !ranges->empty() && (!ranges->front().after.empty() || !ranges->front().to.empty());
    for (size_t i = 0; all_fit && i < ranges->size(); ++i) {
        const auto& [after, to] = (*ranges)[i];
        // Only the first and the last have an open side.
        all_fit = fits(after) && fits(to) && (i == 0 || !after.empty()) && (i + 1 == ranges->size() || !to.empty());
    }
    if (all_fit) return std::move(*ranges);
    return Error(ErrorKind::invalid_config, "checkpoint does not fit the table's primary key: " + checkpoint.value() +
                                                "; reset the stream's state to begin anew");
}

Result<std::string> copy_sql(const PostgresTable& table, const KeyRange& range) {
    return table.copy_sql(TRY(condition_of(table, range)), TRY(key_columns(table)));
}

Result<std::vector<KeyRange>> split_key_ranges(PostgresConnection& connection, const PostgresTable& table,
                                               const std::vector<KeyRange>& ranges, size_t sessions) {
    const TableSize size = TRY(size_of(connection, table));
    const size_t count = count_ranges(size.bytes, size.lies_in_order, sessions);
    if (count < 2) return ranges;
    std::vector<KeyRange> parts;
    for (const auto& range : ranges) {
        parts.push_back(range);
        for (auto& key : TRY(sample_keys(connection, table, range, size.blocks, count))) {
            KeyRange rest{key, std::exchange(parts.back().to, std::move(key))};
            parts.push_back(std::move(rest));
        }
    }
    return parts;
}

Result<std::vector<std::string>> copy_sql_by_blocks(PostgresConnection& connection, const PostgresTable& table,
                                                    size_t sessions) {
    std::vector<std::string> copies{TRY(table.copy_sql("", ""))};
    if (sessions < 2 || table.quoted_name.empty() || connection.server_version() < kServerWithBlockRanges)
        return copies;
    const auto found = TRY(connection.query(
        "SELECT pg_catalog.pg_table_size(c.oid), pg_catalog.pg_relation_size(c.oid) / "
        "pg_catalog.current_setting('block_size')::int8 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_am a ON a.oid = "
        "c.relam WHERE c.oid = pg_catalog.to_regclass($1) AND c.relkind = 'r' "
        "AND a.amname = 'heap' AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhparent = c.oid) AND " +
            std::string(kMayLock),
        {table.quoted_name}));
    if (found.rows.empty()) return copies;
    const int64_t bytes = integer_in(found.rows.front()[0]);
    const int64_t blocks = integer_in(found.rows.front()[1]);
    const auto count = std::min(static_cast<int64_t>(count_ranges(bytes, true, sessions)), blocks);
    if (count < 2) return copies;
    copies.clear();
    for (int64_t i = 0; i < count; ++i) {
        const auto from = [&](int64_t range) { return "'(" + std::to_string(blocks * range / count) + ",0)'"; };
        PostgresTable part = table;
        part.base += " WHERE ctid >= " + from(i);
        if (i + 1 < count) part.base += " AND ctid < " + from(i + 1);
        copies.push_back(TRY(part.copy_sql("", "")));
    }
    return copies;
}

}  // namespace shaduf
