#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "jinja/value.h"
#include "models/adapter/relation.h"

namespace shaduf::models {

// Which relations the schemas of the target hold, as far as they were listed, kept true by the macros that create, drop
// and rename. Names are compared without case. Thread-safe.
class RelationCache {
public:
    using List = std::function<Result<std::vector<jinja::Ref<Relation>>>()>;

    // The relations of a schema, which `list` gives when it was not listed yet.
    Result<std::vector<jinja::Ref<Relation>>> relations(const std::string& database, const std::string& schema,
                                                        const List& list);
    void add(const jinja::Ref<Relation>& relation);
    void drop(const Relation& relation);
    void rename(const Relation& from, const jinja::Ref<Relation>& to);
    void drop_schema(const std::string& database, const std::string& schema);
    void clear();

private:
    struct Schema {
        bool is_listed = false;
        std::map<std::string, jinja::Ref<Relation>> by_identifier;
    };
    static std::string key(std::string_view database, std::string_view schema);

    std::mutex mutex_;
    std::map<std::string, Schema> schemas_;
};

}  // namespace shaduf::models
