#include "connectors/keyed/versions.h"

#include <algorithm>

#include "base/text.h"
#include "data/system_columns.h"

namespace shaduf {
namespace {

// When a version begins that has no time.
constexpr const char* kNoTime = "TIMESTAMPTZ '1970-01-01 00:00:00+00'";

bool is_listed(const std::vector<std::string>& names, const std::string& name) {
    return std::any_of(names.begin(), names.end(),
                       [&](const auto& other) { return equals_ignoring_case(other, name); });
}

class VersionsSql {
public:
    VersionsSql(const HistoryQuery& query, const HistoryDialect& dialect)
        : query_(query),
          dialect_(dialect),
          columns_(list(query.schema.names())),
          keys_(list(query.key)),
          order_(query.order_by.empty() ? "" : dialect.quote(query.order_by)) {}

    std::string write() const { return query_.order_by.empty() ? by_arrival() : by_order(); }

private:
    std::string list(const std::vector<std::string>& names, std::string_view prefix = "") const {
        std::string text;
        for (const auto& name : names) text += (text.empty() ? "" : ", ") + std::string(prefix) + dialect_.quote(name);
        return text;
    }

    // The columns, with another expression for that of the order.
    std::string list_with_order(const std::string& order, std::string_view prefix = "") const {
        std::string text;
        for (const auto& name : query_.schema.names()) {
            if (!text.empty()) text += ", ";
            const bool is_order = equals_ignoring_case(name, query_.order_by);
            text += is_order ? order + " AS " + order_ : std::string(prefix) + dialect_.quote(name);
        }
        return text;
    }

    // What makes two versions differ: all but the key, the order and our own columns.
    std::string content() const {
        std::vector<std::string> names;
        for (const auto& field : query_.schema.fields()) {
            const bool own = field.name.starts_with("_shaduf_");
            if (!own && !is_listed(query_.key, field.name) && !equals_ignoring_case(field.name, query_.order_by)) {
                names.push_back(dialect_.quote(field.name));
            }
        }
        return names.empty() ? "0" : dialect_.content(names);
    }

    std::string loaded_at() const {
        if (!query_.schema.index_of(kLoadedAtColumn)) return "now()";
        return "coalesce(" + dialect_.quote(std::string(kLoadedAtColumn)) + ", now())";
    }

    bool is_ordered_by_time() const {
        const auto at = query_.schema.index_of(query_.order_by);
        if (!at) return false;
        const TypeKind kind = query_.schema[*at].type.kind();
        return kind == TypeKind::date || kind == TypeKind::timestamp || kind == TypeKind::timestamp_tz;
    }

    // When a new version begins to be valid.
    std::string begin_of_version(const std::string& prefix) const {
        if (!is_ordered_by_time()) return loaded_at();
        return "coalesce(CAST(" + prefix + order_ + " AS TIMESTAMPTZ), " + kNoTime + ")";
    }

    std::string has_new_row() const {
        return "EXISTS (SELECT 1 FROM " + query_.new_rows + " n WHERE " + same_key_sql(query_.key, "t", "n", dialect_) +
               ")";
    }

    // Ordered by time, a version stands for all rows from valid_from to its own time, of which the first and the last
    // are known: it is taken apart into these, so that a late row between them ends the one and comes before the other.
    std::string first_rows() const {
        const std::string order = "t." + order_;
        const std::string first =
            "CAST(nullif(t.valid_from, " + std::string(kNoTime) + ") AS " + query_.order_type + ")";
        return " UNION ALL SELECT " + list_with_order(first, "t.") + ", t.valid_from, 0 FROM " + query_.table +
               " t WHERE " + order + " IS NOT NULL AND coalesce(" + first + " < " + order + ", true) AND " +
               has_new_row();
    }

    // The versions of all keys concerned, old and new, with the time each begins and its arrival (0: is there).
    std::string all_versions() const {
        const bool by_time = is_ordered_by_time();
        const std::string begin = by_time ? "greatest(t.valid_from, " + begin_of_version("t.") + ")" : "t.valid_from";
        return "SELECT " + list(query_.schema.names(), "t.") + ", " + begin +
               " AS _shaduf_begin, 0 AS _shaduf_seq FROM " + query_.table + " t WHERE " + has_new_row() +
               " UNION ALL SELECT " + columns_ + ", " + begin_of_version("") + ", _shaduf_row + 1 FROM " +
               query_.new_rows + (by_time ? first_rows() : "");
    }

    // Whether a row is another version than the one before it.
    std::string is_new(const std::string& window) const {
        return content() + " IS DISTINCT FROM lag(" + content() + ") OVER " + window + " OR row_number() OVER " +
               window + " = 1 AS _shaduf_is_new";
    }

    // With an order: a value of it stands for one version; time never runs backwards along it. Of rows alike the first
    // makes the version; ordered by time, it gets the time of the last.
    std::string by_order() const {
        const std::string window = "(PARTITION BY " + keys_ + " ORDER BY " + order_ + " NULLS FIRST)";
        const std::string same = "(PARTITION BY " + keys_ + ", " + order_;
        std::string changed = "SELECT " + columns_ + ", _shaduf_begin FROM compared WHERE _shaduf_is_new";
        if (is_ordered_by_time()) {
            changed = "SELECT " + list_with_order("_shaduf_last") + ", _shaduf_begin FROM (SELECT " + columns_ +
                      ", _shaduf_begin, _shaduf_is_new, max(" + order_ + ") OVER (PARTITION BY " + keys_ +
                      ", _shaduf_number) AS _shaduf_last FROM (SELECT " + columns_ +
                      ", _shaduf_begin, _shaduf_is_new, sum(CASE WHEN _shaduf_is_new THEN 1 ELSE 0 END) OVER " +
                      window + " AS _shaduf_number FROM compared) numbered) spanned WHERE _shaduf_is_new";
        }
        return "WITH versions AS (" + all_versions() + "), latest AS (SELECT " + columns_ +
               ", _shaduf_begin FROM (SELECT " + columns_ + ", min(_shaduf_begin) OVER " + same +
               ") AS _shaduf_begin, row_number() OVER " + same +
               " ORDER BY _shaduf_seq DESC) AS _shaduf_rank FROM versions) ranked WHERE _shaduf_rank = 1), compared AS "
               "(SELECT " +
               columns_ + ", _shaduf_begin, " + is_new(window) + " FROM latest), changed AS (" + changed +
               "), dated AS (SELECT " + columns_ + ", max(_shaduf_begin) OVER " + window +
               " AS valid_from, row_number() OVER " + window + " AS _shaduf_position FROM changed) SELECT " + columns_ +
               ", valid_from, lead(valid_from) OVER w AS valid_to, lead(_shaduf_position) OVER w IS NULL AS is_current "
               "FROM dated WINDOW w AS (PARTITION BY " +
               keys_ + " ORDER BY _shaduf_position)";
    }

    // Without one: what is there comes first, then the new rows as they arrived, each at least a microsecond later.
    std::string by_arrival() const {
        const std::string window = "(PARTITION BY " + keys_ + " ORDER BY _shaduf_seq > 0, _shaduf_begin, _shaduf_seq)";
        const std::string microsecond = "INTERVAL '1 microsecond'";
        return "WITH versions AS (" + all_versions() + "), changed AS (SELECT " + columns_ +
               ", _shaduf_begin, _shaduf_seq FROM (SELECT " + columns_ + ", _shaduf_begin, _shaduf_seq, " +
               is_new(window) + " FROM versions) compared WHERE _shaduf_is_new), dated AS (SELECT " + columns_ +
               ", CASE WHEN _shaduf_seq = 0 THEN _shaduf_begin ELSE greatest(_shaduf_begin, coalesce(max(CASE WHEN "
               "_shaduf_seq = 0 THEN _shaduf_begin END) OVER (PARTITION BY " +
               keys_ + ") + " + microsecond + ", _shaduf_begin)) + (row_number() OVER (PARTITION BY " + keys_ +
               ", _shaduf_seq > 0 ORDER BY _shaduf_seq) - 1) * " + microsecond +
               " END AS valid_from FROM changed) SELECT " + columns_ +
               ", valid_from, lead(valid_from) OVER w AS valid_to, lead(valid_from) OVER w IS NULL AS is_current FROM "
               "dated WINDOW w AS (PARTITION BY " +
               keys_ + " ORDER BY valid_from)";
    }

    const HistoryQuery& query_;
    const HistoryDialect& dialect_;
    const std::string columns_;
    const std::string keys_;
    const std::string order_;
};

}  // namespace

const Schema& history_columns() {
    static const Schema columns({{"valid_from", TypeKind::timestamp_tz},
                                 {"valid_to", TypeKind::timestamp_tz},
                                 {"is_current", TypeKind::boolean}});
    return columns;
}

std::string same_key_sql(const std::vector<std::string>& key, const std::string& a, const std::string& b,
                         const HistoryDialect& dialect) {
    std::string condition;
    for (const auto& name : key) {
        const std::string column = "." + dialect.quote(name);
        condition += (condition.empty() ? "" : " AND ") + a + column + " = " + b + column;
    }
    return condition;
}

std::string history_versions_sql(const HistoryQuery& query, const HistoryDialect& dialect) {
    return VersionsSql(query, dialect).write();
}

}  // namespace shaduf
