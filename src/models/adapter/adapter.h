#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/registry.h"
#include "jinja/object.h"
#include "models/adapter/column.h"
#include "models/adapter/patience.h"
#include "models/adapter/relation.h"
#include "models/adapter/session.h"

namespace shaduf {
struct RunContext;
}

namespace shaduf::models {

// What is chosen of profiles.yml: one output, its Jinja rendered.
struct Target {
    std::string profile;
    std::string name;
    std::string type;
    std::string database;  // the adapter's default where the output names none
    std::string schema;
    int threads = 1;
    jinja::Ref<jinja::Dict> output;  // as written, rendered
    std::string project_root;        // where relative paths begin
    Patience patience;               // with other runs on this target
    Place place;                     // of the output
};
// Why there is no session, with the place of the target, its name and its profile's: that is what a user changes.
Error connect_error(const Target& target, const Error& why);

// What an adapter's own method of `adapter` may use.
struct AdapterCall {
    jinja::Vm& vm;
    Session* session;  // nullptr: while parsing
    const jinja::Arguments& arguments;
};

enum class ConstraintSupport : uint8_t { enforced, not_enforced, not_supported };

// One kind of database: how its names are written, what its types are called, how one connects. Everything else is
// macros (`macros/dbt_<type>/`). Immutable; thread-safe.
class Adapter {
public:
    virtual ~Adapter() = default;
    virtual std::string_view type() const = 0;
    // Packages of built-in macros, and prefixes of dispatch, from itself to its parents: {"redshift", "postgres"}.
    virtual std::vector<std::string> lineage() const = 0;
    virtual const RelationStyle& relation_style() const = 0;
    virtual const ColumnStyle& column_style() const = 0;
    // What `target` of the context holds beside name, type, schema, threads and profile_name; no secrets.
    virtual jinja::Ref<jinja::Dict> connection_facts(const Target& target) const = 0;
    // Of the columns of a seed. `width_max` is that of the longest text.
    virtual std::string seed_type(TableType type, size_t width_max) const = 0;
    virtual std::span<const std::string_view> incremental_strategies() const = 0;
    virtual ConstraintSupport constraint_support(std::string_view constraint) const = 0;
    // Whether batches of one model may be built by several sessions at a time.
    virtual bool takes_concurrent_batches() const { return false; }
    // How the table that a foreign key refers to is written, given its whole name.
    virtual std::string foreign_key_target(std::string name) const { return name; }
    // A query of one row of two columns: about how many rows a table has, and how many bytes it takes in the store;
    // null for what the database does not know. "": it knows neither.
    virtual std::string size_query(const RelationPath&) const { return {}; }
    // The macro that lists which relation depends on which, where a drop takes the dependents with it: a table of
    // dependent schema and name, referenced schema and name. "": a drop takes nothing else.
    virtual std::string_view dependencies_macro() const { return ""; }
    virtual std::string_view now_function() const { return "now()"; }
    // Methods of `adapter` that only this kind has. nullopt: it has none of that name.
    virtual Result<std::optional<jinja::Value>> call_method(std::string_view name, const AdapterCall& call) const = 0;

    // A session is one thread's; `name` says whose, for the database's own lists of sessions. conflict: the database
    // is another process's, which was waited for with the target's patience.
    virtual Result<std::unique_ptr<Session>> connect(RunContext& run, const std::string& name) = 0;
};

// How an adapter comes to be; one file a kind, ending in `adapter_<type>`.
struct AdapterSpec {
    std::string_view name;
    // invalid_config: what the output lacks or has wrong.
    Result<std::unique_ptr<Adapter>> (*make)(const Target& target);
    // The database and schema of an output; the first "" where it names none.
    std::string (*default_database)(const jinja::Dict& output);
};

}  // namespace shaduf::models

namespace shaduf {

// One spec a file of src/models/adapters, listed by the build.
Registry<models::AdapterSpec> builtin_adapters();

}  // namespace shaduf
