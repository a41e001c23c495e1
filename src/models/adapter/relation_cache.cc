#include "models/adapter/relation_cache.h"

#include "base/text.h"

namespace shaduf::models {

std::string RelationCache::key(std::string_view database, std::string_view schema) {
    return to_lower(database) + '\0' + to_lower(schema);
}

// The schema is listed with the lock held: who asks for it meanwhile would only list it again.
Result<std::vector<jinja::Ref<Relation>>> RelationCache::relations(const std::string& database,
                                                                   const std::string& schema, const List& list) {
    const std::lock_guard lock(mutex_);
    Schema& known = schemas_[key(database, schema)];
    if (!known.is_listed) {
        for (auto& relation : TRY(list())) known.by_identifier[to_lower(relation->identifier())] = relation;
        known.is_listed = true;
    }
    std::vector<jinja::Ref<Relation>> relations;
    for (const auto& [identifier, relation] : known.by_identifier) relations.push_back(relation);
    return relations;
}

void RelationCache::add(const jinja::Ref<Relation>& relation) {
    const std::lock_guard lock(mutex_);
    Schema& known = schemas_[key(relation->database(), relation->schema())];
    known.by_identifier[to_lower(relation->identifier())] = relation;
}

void RelationCache::drop(const Relation& relation) {
    const std::lock_guard lock(mutex_);
    schemas_[key(relation.database(), relation.schema())].by_identifier.erase(to_lower(relation.identifier()));
}

void RelationCache::rename(const Relation& from, const jinja::Ref<Relation>& to) {
    const std::lock_guard lock(mutex_);
    auto& before = schemas_[key(from.database(), from.schema())].by_identifier;
    const auto found = before.find(to_lower(from.identifier()));
    std::optional<RelationType> type = to->parts().type;
    if (found != before.end()) {
        if (!type) type = found->second->parts().type;
        before.erase(found);
    }
    Relation::Parts parts = to->parts();
    parts.type = type;
    schemas_[key(to->database(), to->schema())].by_identifier[to_lower(to->identifier())] =
        jinja::make<Relation>(to->style(), std::move(parts));
}

void RelationCache::drop_schema(const std::string& database, const std::string& schema) {
    const std::lock_guard lock(mutex_);
    schemas_.erase(key(database, schema));
}

void RelationCache::clear() {
    const std::lock_guard lock(mutex_);
    schemas_.clear();
}

}  // namespace shaduf::models
