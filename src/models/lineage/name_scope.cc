#include "models/lineage/name_scope.h"

#include <algorithm>

#include "base/text.h"

namespace shaduf::models {
namespace {

using Found = NameScope::Found;
using Outcome = NameScope::Outcome;

// A column of a table whose columns are not known: of one table, it can only be its own.
Found open_column(const TracedRelation::More& more, std::string_view name) {
    Found found = {Outcome::found, {std::string(name), {}, ""}, ""};
    if (more.relations.size() == 1 && !more.has_others) {
        add_source(found.column.sources, {more.relations[0], std::string(name)}, LineageKind::copied);
        return found;
    }
    found.outcome = Outcome::unknown;
    found.column.unknown =
        more.relations.size() < 2 ? more.why : "which of them has it is not known: " + join(more.relations, ", ");
    return found;
}

Found with_fields(Found found, bool has_fields) {
    if (!has_fields) return found;
    for (ColumnSource& source : found.column.sources) source.kind = std::max(source.kind, LineageKind::transformed);
    return found;
}

}  // namespace

const ColumnLineage* TracedRelation::find(std::string_view name) const {
    const auto found = std::find_if(columns.begin(), columns.end(), [&](const ColumnLineage& column) {
        return equals_ignoring_case(column.name, name);
    });
    return found == columns.end() ? nullptr : &*found;
}

void TracedRelation::add_more(const More& other) {
    if (!more) more.emplace();
    for (const std::string& relation : other.relations) {
        const bool is_known =
            std::find(more->relations.begin(), more->relations.end(), relation) != more->relations.end();
        if (!is_known) more->relations.push_back(relation);
    }
    more->has_others = more->has_others || other.has_others;
    add_reason(more->why, other.why);
}

void add_reason(std::string& reasons, std::string_view reason) {
    if (reason.empty() || reasons.find(reason) != std::string::npos) return;
    if (!reasons.empty()) reasons += "; ";
    reasons += reason;
}

void add_sources(ColumnLineage& column, const ColumnLineage& from, LineageKind at_least) {
    for (const ColumnSource& source : from.sources) {
        add_source(column.sources, source.from, std::max(source.kind, at_least));
    }
    add_reason(column.unknown, from.unknown);
}

std::optional<ColumnLineage> NameScope::column_of(const Entry& entry, std::string_view name) {
    const std::string key = to_lower(name);
    if (entry.hidden.contains(key)) return std::nullopt;
    if (const auto merged = entry.merged.find(key); merged != entry.merged.end()) return merged->second;
    const ColumnLineage* column = entry.relation->find(name);
    return column == nullptr ? std::nullopt : std::optional(*column);
}

const NameScope::Entry* NameScope::entry(std::string_view alias) const {
    for (const NameScope* scope = this; scope != nullptr; scope = scope->outer_) {
        for (const Entry& entry : scope->entries_) {
            if (equals_ignoring_case(entry.alias, alias)) return &entry;
        }
    }
    return nullptr;
}

Found NameScope::find(const std::vector<std::string_view>& parts) const {
    if (parts.size() > 1) {
        if (auto found = find_qualified(parts)) return *std::move(found);
    }
    Found found = find_plain(parts[0]);
    if (found.outcome == Outcome::absent && parts.size() == 1) {
        // A table's name alone is a struct of its row.
        if (const Entry* row = entry(parts[0])) {
            found.outcome = Outcome::found;
            for (const ColumnLineage& column : row->relation->columns)
                add_sources(found.column, column, LineageKind::transformed);
            if (row->relation->more) add_reason(found.column.unknown, row->relation->more->why);
        }
    }
    return with_fields(std::move(found), parts.size() > 1);
}

// [catalog.][schema.]table.column[.field...]; nullopt: the first part names no table.
std::optional<Found> NameScope::find_qualified(const std::vector<std::string_view>& parts) const {
    std::optional<Found> absent;
    for (size_t qualifiers = std::min<size_t>(3, parts.size() - 1); qualifiers > 0; --qualifiers) {
        for (const NameScope* scope = this; scope != nullptr; scope = scope->outer_) {
            for (const Entry& entry : scope->entries_) {
                const bool fits = equals_ignoring_case(entry.alias, parts[qualifiers - 1]) &&
                                  (qualifiers < 2 || equals_ignoring_case(entry.schema, parts[qualifiers - 2])) &&
                                  (qualifiers < 3 || equals_ignoring_case(entry.catalog, parts[0]));
                if (!fits) continue;
                const std::string_view name = parts[qualifiers];
                const bool has_fields = parts.size() > qualifiers + 1;
                if (const ColumnLineage* column = entry.relation->find(name))
                    return with_fields({Outcome::found, *column, ""}, has_fields);
                if (entry.relation->more) return with_fields(open_column(*entry.relation->more, name), has_fields);
                if (!absent) absent = {Outcome::absent, {std::string(name), {}, ""}, entry.relation->table};
            }
        }
    }
    if (absent && find_plain(parts[0]).outcome == Outcome::found) return std::nullopt;  // a struct of the same name
    return absent;
}

std::optional<ColumnLineage> NameScope::find_known(std::string_view name) const {
    for (const Entry& entry : entries_) {
        if (auto column = column_of(entry, name)) return column;
    }
    return std::nullopt;
}

const ColumnLineage* NameScope::find_alias(std::string_view name) const {
    if (aliases_ == nullptr) return nullptr;
    for (const ColumnLineage& column : *aliases_) {
        if (equals_ignoring_case(column.name, name)) return &column;
    }
    return nullptr;
}

// The innermost table that has it. A table whose columns are not known may have it as well, and would come first when
// it stands further in: then nobody can tell.
Found NameScope::find_plain(std::string_view name) const {
    TracedRelation open;
    for (const NameScope* scope = this; scope != nullptr; scope = scope->outer_) {
        std::optional<ColumnLineage> known = scope->find_known(name);
        if (!known) {
            for (const Entry& entry : scope->entries_) {
                const auto merged = entry.hidden.contains(to_lower(name));
                if (entry.relation->more && !merged) open.add_more(*entry.relation->more);
            }
            const ColumnLineage* alias = scope->find_alias(name);
            if (alias != nullptr && !scope->proven_.contains(to_lower(name))) known = *alias;
        }
        if (!known) continue;
        if (!open.more) return {Outcome::found, *std::move(known), ""};
        Found unsure = {Outcome::unknown, {std::string(name), {}, ""}, ""};
        unsure.column.unknown = "whether " + std::string(name) + " is a column of " +
                                (open.more->relations.empty() ? "its table" : join(open.more->relations, ", ")) +
                                " is not known";
        return unsure;
    }
    if (open.more) {
        proven_.insert(to_lower(name));
        return open_column(*open.more, name);
    }
    return {Outcome::absent, {std::string(name), {}, ""}, ""};
}

}  // namespace shaduf::models
