#include "models/adapter/relation_cache.h"

#include "base/text.h"

namespace shaduf::models {

std::string RelationCache::key(std::string_view database, std::string_view schema) {
    return to_lower(database) + '\0' + to_lower(schema);
}

RelationCache::Key RelationCache::key(const Relation& relation) {
    return {key(relation.database(), relation.schema()), to_lower(relation.identifier())};
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

Result<void> RelationCache::link(const ListLinks& list) {
    const std::lock_guard lock(mutex_);
    if (is_linked_) return {};
    const auto key_of = [](const RelationPath& path) {
        return Key{key(path.database.value_or(""), path.schema.value_or("")), to_lower(path.identifier.value_or(""))};
    };
    for (const Link& link : TRY(list())) dependents_[key_of(link.referenced)].insert(key_of(link.dependent));
    is_linked_ = true;
    return {};
}

void RelationCache::add(const jinja::Ref<Relation>& relation) {
    const std::lock_guard lock(mutex_);
    const Key place = key(*relation);
    schemas_[place.schema].by_identifier[place.identifier] = relation;
}

void RelationCache::drop(const Relation& relation) {
    const std::lock_guard lock(mutex_);
    std::vector<Key> open = {key(relation)};
    while (!open.empty()) {
        const Key gone = std::move(open.back());
        open.pop_back();
        if (const auto known = schemas_.find(gone.schema); known != schemas_.end()) {
            known->second.by_identifier.erase(gone.identifier);
        }
        if (auto linked = dependents_.extract(gone))
            open.insert(open.end(), linked.mapped().begin(), linked.mapped().end());
    }
}

// Links hold on to the relation itself, whatever it is called.
void RelationCache::rename(const Relation& from, const jinja::Ref<Relation>& to) {
    const std::lock_guard lock(mutex_);
    const Key before = key(from);
    const Key after = key(*to);
    auto& names = schemas_[before.schema].by_identifier;
    const auto found = names.find(before.identifier);
    Relation::Parts parts = to->parts();
    if (found != names.end()) {
        if (!parts.type) parts.type = found->second->parts().type;
        names.erase(found);
    }
    schemas_[after.schema].by_identifier[after.identifier] = jinja::make<Relation>(to->style(), std::move(parts));
    if (auto linked = dependents_.extract(before)) {
        linked.key() = after;
        dependents_.insert(std::move(linked));
    }
    for (auto& [referenced, dependents] : dependents_) {
        if (dependents.erase(before) > 0) dependents.insert(after);
    }
}

void RelationCache::drop_schema(const std::string& database, const std::string& schema) {
    const std::lock_guard lock(mutex_);
    schemas_.erase(key(database, schema));
}

void RelationCache::clear() {
    const std::lock_guard lock(mutex_);
    schemas_.clear();
    dependents_.clear();
    is_linked_ = false;
}

}  // namespace shaduf::models
