#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "jinja/value.h"
#include "models/adapter/relation.h"

namespace shaduf::models {

// Which relations the schemas of the target hold, as far as they were listed, kept true by the macros that create, drop
// and rename. Names are compared without case. Where the database drops what depends on a relation with it, as
// PostgreSQL does with views, the cache follows the links that it was told. Thread-safe.
class RelationCache {
public:
    using List = std::function<Result<std::vector<jinja::Ref<Relation>>>()>;
    struct Link {
        RelationPath dependent, referenced;
    };
    using ListLinks = std::function<Result<std::vector<Link>>()>;

    // The relations of a schema, which `list` gives when it was not listed yet.
    Result<std::vector<jinja::Ref<Relation>>> relations(const std::string& database, const std::string& schema,
                                                        const List& list);
    // Asks for the links of the whole database, once.
    Result<void> link(const ListLinks& list);
    void add(const jinja::Ref<Relation>& relation);
    // And what depends on it.
    void drop(const Relation& relation);
    void rename(const Relation& from, const jinja::Ref<Relation>& to);
    void drop_schema(const std::string& database, const std::string& schema);
    void clear();

private:
    struct Schema {
        bool is_listed = false;
        std::map<std::string, jinja::Ref<Relation>> by_identifier;
    };
    struct Key {
        std::string schema;  // with its database
        std::string identifier;
        auto operator<=>(const Key&) const = default;
    };
    static std::string key(std::string_view database, std::string_view schema);
    static Key key(const Relation& relation);

    std::mutex mutex_;
    std::map<std::string, Schema> schemas_;
    bool is_linked_ = false;
    std::map<Key, std::set<Key>> dependents_;
};

}  // namespace shaduf::models
