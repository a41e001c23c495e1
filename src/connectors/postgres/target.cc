#include "connectors/postgres/target.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/text.h"
#include "io/crypto.h"

namespace shaduf {
namespace {

constexpr uint32_t kNameOid = 19;
constexpr uint32_t kTextOid = 25;
constexpr uint32_t kJsonOid = 114;
constexpr uint32_t kBpcharOid = 1042;
constexpr uint32_t kVarcharOid = 1043;
constexpr size_t kNameBytesMax = 63;
constexpr int kDimensionsMax = 6;

using Labels = std::map<uint32_t, std::shared_ptr<std::set<std::string, std::less<>>>>;

uint32_t oid_in(const std::optional<std::string>& text) {
    uint32_t oid = 0;
    if (text) std::from_chars(text->data(), text->data() + text->size(), oid);
    return oid;
}

CopyTarget copy_target(const PostgresField& field, const Labels& labels) {
    CopyTarget target;
    target.name = field.name;
    target.sql_type = field.sql_type;
    target.wire = field.wire;
    if (field.is_cast) {
        target.item = kTextOid;
        return target;
    }
    const uint32_t type = field.item != 0 ? field.item : field.oid;
    target.is_json = type == kJsonOid;
    target.item = field.item;
    target.modifier = field.modifier;
    constexpr int32_t kHeader = 4;
    if ((type == kVarcharOid || type == kBpcharOid) && field.modifier > kHeader) {
        target.characters_max = static_cast<size_t>(field.modifier - kHeader);
    }
    if (type == kNameOid) target.bytes_max = kNameBytesMax;
    if (const auto found = labels.find(type); found != labels.end()) target.labels = found->second;
    return target;
}

Result<Labels> read_labels(PostgresConnection& connection, const std::vector<PostgresField>& fields) {
    std::string oids = "{";
    for (const auto& field : fields) {
        oids += (oids.size() > 1 ? "," : "") + std::to_string(field.item != 0 ? field.item : field.oid);
    }
    Labels labels;
    const auto found = TRY(connection.query(
        "SELECT enumtypid, enumlabel FROM pg_catalog.pg_enum WHERE enumtypid = ANY ($1::oid[])", {oids + "}"}));
    for (const auto& row : found.rows) {
        auto& set = labels[oid_in(row[0])];
        if (set == nullptr) set = std::make_shared<std::set<std::string, std::less<>>>();
        set->insert(row[1].value_or(""));
    }
    return labels;
}

const std::string* declared_type(const PostgresTableOptions& options, const std::string& name) {
    for (const auto& [column, type] : options.column_types) {
        if (equals_ignoring_case(column, name)) return &type;
    }
    return nullptr;
}

Error in_the_way(const PostgresTableName& name, const std::string& column, const Error& cause) {
    // What depends on the column (a view, a rule, a policy) is told by the cause.
    return Error(cause.kind(), "cannot change column " + column + " of " + name.to_string() +
                                   "; change the table by hand, or set `contract: freeze`")
        .caused_by(cause);
}

Result<void> alter(PostgresConnection& connection, const PostgresTableName& name, const std::string& column,
                   const std::string& change) {
    const std::string sql = "ALTER TABLE " + TRY(name.quoted()) + " " + change;
    auto done = connection.execute(sql);
    if (done.ok()) return {};
    if (connection.sqlstate() != "42501") return in_the_way(name, column, done.error());
    return Error(ErrorKind::auth,
                 "table lacks what the stream has, and the role may not change it; let the owner run: " + sql +
                     "; or set `contract: freeze`")
        .caused_by(done.error());
}

// Of a column that is there: a uuid takes any text that is one, so that a stream of texts need not change the column.
DataType as_told(const DataType& type) {
    if (type.kind() == TypeKind::list) return DataType::list(as_told(type.children()[0].type));
    return type.kind() == TypeKind::uuid ? DataType(TypeKind::string) : type;
}

bool has_structure(const DataType& type) {
    if (type.kind() == TypeKind::structure) return true;
    return std::any_of(type.children().begin(), type.children().end(),
                       [](const Field& child) { return has_structure(child.type); });
}

int depth_of(const DataType& type) { return type.kind() == TypeKind::list ? 1 + depth_of(type.children()[0].type) : 0; }

// Whether a value of the old type can be written to a column of the new one without a loss that SQL would not notice.
Result<bool> evolve_column(PostgresConnection& connection, const PostgresTableName& name, const PostgresField& old,
                           const DataType& wanted) {
    if (old.type == wanted || fits(wanted, old.type)) return false;
    // What PostgreSQL holds in no type of ours holds any text that it can read.
    const std::string column = TRY(postgres_identifier(old.name));
    if (!fits(old.type, wanted)) {
        return Error(ErrorKind::invalid_config, "column " + column + " of " + name.to_string() + " is " + old.sql_type +
                                                    ", the stream has " + wanted.to_string() +
                                                    "; declare the column's type, or set `contract: freeze`");
    }
    // jsonb holds structures and lists of them.
    const std::string type = postgres_type_name(wanted);
    if (type == "jsonb" && old.type.kind() == TypeKind::json) return false;
    TRY(alter(connection, name, column,
              "ALTER COLUMN " + column + " TYPE " + type + " USING " + postgres_widen_sql(column, old.type, wanted)));
    return true;
}

}  // namespace

std::string postgres_name_with(const std::string& prefix, const std::string& name, const std::string& suffix) {
    std::string whole = prefix + name + suffix;
    if (whole.size() <= kNameBytesMax) return whole;
    constexpr size_t kHashDigits = 16;
    const std::string hash = to_hex(sha256(whole)).substr(0, kHashDigits);
    size_t kept = kNameBytesMax - prefix.size() - suffix.size() - kHashDigits - 1;
    while (kept > 0 && (static_cast<unsigned char>(name[kept]) & 0xC0U) == 0x80U) --kept;
    return prefix + name.substr(0, kept) + "_" + hash + suffix;
}

const PostgresTargetColumn* PostgresTarget::find(std::string_view name) const {
    const PostgresTargetColumn* found = nullptr;
    for (const auto& column : columns) {
        if (column.field.name == name) return &column;
        if (found == nullptr && equals_ignoring_case(column.field.name, name)) found = &column;
    }
    return found;
}

Schema PostgresTarget::schema() const {
    std::vector<Field> fields;
    for (const auto& column : columns) {
        const bool is_taken = std::any_of(fields.begin(), fields.end(), [&](const Field& field) {
            return equals_ignoring_case(field.name, column.field.name);
        });
        if (!column.is_generated && !is_taken) fields.push_back({column.field.name, column.field.type});
    }
    return Schema(std::move(fields));
}

Result<std::optional<PostgresTarget>> find_target(PostgresConnection& connection, const PostgresTableName& name) {
    const auto found = TRY(connection.query(
        "SELECT c.oid, c.relkind FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind NOT IN ('i', 'I', 'c', 't')",
        {name.schema, name.table}));
    if (found.rows.empty()) return std::optional<PostgresTarget>();
    const std::string kind = found.rows[0][1].value_or("");
    if (kind != "r" && kind != "p" && kind != "f") {
        return Error(ErrorKind::invalid_config, "the target is not a table but a view or the like: " +
                                                    name.to_string() + "; give another table name, or drop it");
    }
    PostgresTarget table;
    table.oid = oid_in(found.rows[0][0]);
    table.quoted = TRY(name.quoted());
    auto fields = TRY(describe_postgres_columns(connection, "SELECT * FROM " + table.quoted));
    const Labels labels = TRY(read_labels(connection, fields));
    const auto facts =
        TRY(connection.query("SELECT attname, attnotnull AND (atthasdef OR attidentity <> ''), attgenerated <> '' FROM "
                             "pg_catalog.pg_attribute WHERE "
                             "attrelid = $1::oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                             {std::to_string(table.oid)}));
    for (size_t i = 0; i < fields.size() && i < facts.rows.size(); ++i) {
        PostgresTargetColumn column;
        column.copy = copy_target(fields[i], labels);
        column.field = std::move(fields[i]);
        column.field.type = as_told(column.field.type);
        column.must_default = facts.rows[i][1] == "t";
        column.is_generated = facts.rows[i][2] == "t";
        table.columns.push_back(std::move(column));
    }
    return std::optional<PostgresTarget>(std::move(table));
}

Result<void> create_target(PostgresConnection& connection, const PostgresTableName& name, const Schema& schema,
                           const PostgresTableOptions& options) {
    std::string columns;
    for (const auto& field : schema.fields()) {
        const std::string* declared = declared_type(options, field.name);
        columns += (columns.empty() ? "" : ", ") + TRY(postgres_identifier(field.name)) + " " +
                   (declared != nullptr ? *declared : postgres_type_name(field.type));
    }
    const std::string quoted = TRY(name.quoted());
    TRY(connection.execute("CREATE TABLE " + quoted + " (" + columns + ")"));
    return {};
}

Result<bool> evolve_target(PostgresConnection& connection, const PostgresTableName& name, const PostgresTarget& table,
                           const Schema& wanted, const PostgresTableOptions& options) {
    bool has_changed = false;
    for (const auto& field : wanted.fields()) {
        const std::string* declared = declared_type(options, field.name);
        const PostgresTargetColumn* present = table.find(field.name);
        if (present == nullptr) {
            const std::string column = TRY(postgres_identifier(field.name));
            TRY(alter(
                connection, name, column,
                "ADD COLUMN " + column + " " + (declared != nullptr ? *declared : postgres_type_name(field.type))));
            has_changed = true;
        } else if (declared == nullptr && !present->is_generated) {
            has_changed |= TRY(evolve_column(connection, name, present->field, field.type));
        }
    }
    return has_changed;
}

std::string postgres_type_name(const DataType& type) {
    switch (type.kind()) {
        case TypeKind::boolean: return "boolean";
        case TypeKind::int64: return "bigint";
        case TypeKind::float64: return "double precision";
        case TypeKind::decimal:
            return "numeric(" + std::to_string(type.precision()) + "," + std::to_string(type.scale()) + ")";
        case TypeKind::string: return "text";
        case TypeKind::bytes: return "bytea";
        case TypeKind::uuid: return "uuid";
        case TypeKind::date: return "date";
        case TypeKind::time: return "time";
        case TypeKind::timestamp: return "timestamp";
        case TypeKind::timestamp_tz: return "timestamptz";
        case TypeKind::json:
        case TypeKind::structure: return "jsonb";
        case TypeKind::list:
            if (has_structure(type) || depth_of(type) > kDimensionsMax) return "jsonb";
            return postgres_type_name(type.children()[0].type) + "[]";
    }
    return "text";
}

std::string postgres_widen_sql(const std::string& expression, const DataType& from, const DataType& to) {
    const std::string type = postgres_type_name(to);
    if (type == "jsonb") return "to_jsonb(" + expression + ")";
    const std::string text = expression + "::text";
    if (to.kind() == TypeKind::string && from.kind() == TypeKind::timestamp) {
        return "regexp_replace(" + text + ", ' ', 'T')";
    }
    if (to.kind() == TypeKind::string && from.kind() == TypeKind::timestamp_tz) {
        return "replace(regexp_replace(" + text + ", ' ', 'T'), '+00', 'Z')";
    }
    return expression + "::" + type;
}

Result<std::string> postgres_columns(const std::vector<std::string>& names, std::string_view prefix) {
    std::string list;
    for (const auto& name : names) {
        list += (list.empty() ? "" : ", ") + std::string(prefix) + TRY(postgres_identifier(name));
    }
    return list;
}

}  // namespace shaduf
