#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "jinja/template.h"
#include "jinja/value.h"
#include "models/node_config.h"

// What parsing a dbt project gives: every resource of it and of its packages, and how they hang together. Field names
// are those of dbt's manifest (schema v12). Filled by one thread; while models run, it is read by many.
namespace shaduf::models {

// ref('package', 'name', v=1), as it stands in the text.
struct ModelRef {
    std::string name;
    std::optional<std::string> package;
    std::optional<std::string> version;
    bool operator==(const ModelRef&) const = default;
};

struct SourceRef {
    std::string source;
    std::string table;
    bool operator==(const SourceRef&) const = default;
};

struct ColumnProperties {
    std::string name;
    std::string description;
    std::optional<std::string> data_type;
    std::optional<bool> quote;
    std::optional<std::string> granularity;
    jinja::Value meta = jinja::Value::none();         // a dict or none
    jinja::Value constraints = jinja::Value::none();  // a list of dicts or none
    jinja::Value extra = jinja::Value::none();        // keys we know nothing of: kept
    std::vector<std::string> tags;
    std::vector<std::string> doc_blocks;  // unique ids
};

// Where a resource is written.
struct FilePlace {
    std::string path;           // below its resource folder: "staging/customers.sql"
    std::string original_path;  // below the package: "models/staging/customers.sql"
    uint32_t line = 1;          // of what is in a file of many
};

struct Checksum {
    std::string name = "none";  // sha256, path, none
    std::string value;
};

struct TestMetadata {
    std::string name;                          // "not_null"
    std::optional<std::string> macro_package;  // "dbt_utils"; the namespace as it was written
    jinja::Value arguments;                    // a dict, with "model" and "column_name"; strings hold Jinja still
    std::optional<std::string> column_name;
    std::string attached_node;  // unique id; "": of a source
    std::string file_key_name;  // "models.orders"
};

struct UnitTest;

// A model, seed, snapshot, test, analysis, operation or function.
struct Node {
    ResourceType type = ResourceType::model;
    std::string unique_id;
    std::string package;
    std::string name;
    std::string alias;
    std::optional<std::string> database;
    std::string schema;
    std::vector<std::string> fqn;
    FilePlace place;
    std::string patch_path;  // "package://models/schema.yml"; "": none
    Checksum checksum;
    std::string language = "sql";

    NodeConfig config;
    std::vector<std::pair<std::string, jinja::Value>> unrendered_config;
    std::vector<std::string> tags;
    jinja::Value meta = jinja::Value::none();  // a dict or none
    std::string description;
    std::vector<ColumnProperties> columns;
    std::vector<std::string> doc_blocks;
    std::optional<std::string> group;
    std::string access = "protected";
    jinja::Value constraints = jinja::Value::none();
    std::optional<std::string> version, latest_version;
    std::optional<std::string> deprecation_date;
    jinja::Value time_spine = jinja::Value::none();
    std::vector<std::string> primary_key;

    // raw_code, shared with the compiled template; for tests made of macros by itself.
    std::string raw_code;
    jinja::TemplatePtr code;  // nullptr: not compiled yet, or nothing to compile

    std::vector<ModelRef> refs;
    std::vector<SourceRef> sources;
    std::vector<std::vector<std::string>> metrics;
    std::vector<std::vector<std::string>> functions;  // name, or package and name
    std::vector<std::string> depends_on_nodes;        // unique ids, in the order of the text
    std::vector<std::string> depends_on_macros;       // unique ids
    std::optional<TestMetadata> test;                 // of a generic test
    std::string root_path;                            // of a seed
    double created_at = 0;                            // seconds since 1970
    size_t hook_index = 0;                            // of an operation
    const UnitTest* unit_test = nullptr;              // of a node that was made to run one
    jinja::Value arguments = jinja::Value::none();    // of a function: a list of dicts
    jinja::Value returns = jinja::Value::none();      // likewise: a dict, or none where nothing says it
    uint32_t record = 0;                              // from 1, in the state that `parse_id` names; 0: none
};

// Below target/compiled and target/run: "package/models/customers.sql"; what stands in a file of many has a file of its
// own in a folder of that one's name, and so has each batch of a model, which `batch` names.
std::string written_path(const Node& node, std::string_view batch = {});

struct SourceTable {
    std::string unique_id;  // source.package.source.table
    std::string package;
    std::string source_name;
    std::string name;
    std::string identifier;
    std::optional<std::string> database;
    std::string schema;
    std::vector<std::string> fqn;
    FilePlace place;
    NodeConfig config;
    std::vector<std::pair<std::string, jinja::Value>> unrendered_config;
    std::string description, source_description, loader;
    jinja::Value source_meta = jinja::Value::none(), meta = jinja::Value::none();
    std::vector<std::string> tags;
    std::vector<ColumnProperties> columns;
    std::vector<std::string> doc_blocks;
    jinja::Value quoting = jinja::Value::none();    // a dict: database, schema, identifier, column
    jinja::Value freshness = jinja::Value::none();  // a dict: warn_after, error_after, filter
    jinja::Value external = jinja::Value::none();
    std::optional<std::string> loaded_at_field, loaded_at_query;
    std::optional<std::string> unrendered_database, unrendered_schema;  // as written
    std::string patch_path;
    double created_at = 0;
};

// An exposure, metric, semantic model or saved query: parsed and kept.
struct Declaration {
    ResourceType type = ResourceType::exposure;
    std::string unique_id;
    std::string package;
    std::string name;
    std::vector<std::string> fqn;
    FilePlace place;
    NodeConfig config;
    jinja::Value properties;  // a dict with all of dbt's keys for it but those above and below
    std::vector<std::string> tags;
    std::vector<ModelRef> refs;
    std::vector<SourceRef> sources;
    std::vector<std::vector<std::string>> metrics;
    std::vector<std::string> depends_on_nodes, depends_on_macros;
    double created_at = 0;
};

// How rows of a unit test are given.
struct UnitTestRows {
    std::string input;    // as written: ref('x'), source('a', 'b'), this; "": of what is expected
    std::string format;   // dict, csv, sql
    jinja::Value rows;    // a list of dicts, or text
    std::string fixture;  // name of a file; "": none
};

struct UnitTest {
    std::string unique_id;
    std::string package;
    std::string name;
    std::string model;
    std::string schema;  // of the model
    std::optional<std::string> version;
    std::vector<std::string> fqn;
    FilePlace place;
    NodeConfig config;
    std::string description;
    std::vector<UnitTestRows> given;
    UnitTestRows expect;
    jinja::Value overrides = jinja::Value::none();  // a dict: macros, vars, env_vars
    std::vector<std::string> depends_on_nodes, depends_on_macros;
    std::string checksum;
    double created_at = 0;
    std::shared_ptr<const Node> as_node;  // for running it; made when a command is to run
};

struct Macro {
    std::string unique_id;  // macro.package.name
    std::string package;
    std::string name;
    FilePlace place;
    jinja::TemplatePtr file;
    size_t definition = 0;  // in the file's definitions
    std::vector<std::string> depends_on_macros;
    std::string description;
    jinja::Value meta = jinja::Value::none();
    jinja::Value docs = jinja::Value::none();
    jinja::Value arguments = jinja::Value::none();
    std::vector<std::string> supported_languages;  // of a materialization
    std::string patch_path;
    double created_at = 0;

    const jinja::Definition& code() const { return file->definitions()[definition]; }
    std::string_view text() const;  // macro_sql: from its first tag to its last
};

struct DocBlock {
    std::string unique_id;  // doc.package.name
    std::string package;
    std::string name;
    FilePlace place;
    std::string contents;
};

struct Group {
    std::string unique_id;
    std::string package;
    std::string name;
    FilePlace place;
    jinja::Value owner;  // a dict
    std::string description;
    NodeConfig config;
};

// Macros by name, found as dbt finds them. Built once; immutable then.
class MacroIndex {
public:
    void add(const Macro& macro);
    const Macro* in_package(std::string_view package, std::string_view name) const;
    bool has_package(std::string_view package) const;
    // The names of all macros of a package, for the nearest right name of an error.
    std::vector<std::string> names_of(std::string_view package) const;
    const std::vector<std::string>& packages() const { return packages_; }

private:
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    using ByName = std::unordered_map<std::string, const Macro*, Hash, std::equal_to<>>;
    std::unordered_map<std::string, ByName, Hash, std::equal_to<>> by_package_;
    std::vector<std::string> packages_;
};

struct Manifest {
    std::string root_package;
    std::string parse_id;                      // of the state on disk that holds it, or most of it; "": none
    std::vector<std::unique_ptr<Node>> nodes;  // in the order of their unique ids
    std::vector<std::unique_ptr<SourceTable>> sources;
    std::vector<std::unique_ptr<Declaration>> declarations;
    std::vector<std::unique_ptr<UnitTest>> unit_tests;
    std::vector<std::unique_ptr<Macro>> macros;
    std::vector<std::unique_ptr<DocBlock>> docs;
    std::vector<std::unique_ptr<Group>> groups;
    std::vector<std::unique_ptr<Node>> disabled;
    std::vector<std::unique_ptr<SourceTable>> disabled_sources;
    std::vector<std::unique_ptr<Declaration>> disabled_declarations;
    MacroIndex macro_index;

    // By unique id; nullptr: none. Built by `index`.
    const Node* node(std::string_view unique_id) const;
    const SourceTable* source(std::string_view unique_id) const;
    // What ref() names: first in the root, then in the package of who asks, then in any. Versions as dbt resolves them:
    // none given is the latest. nullptr: none.
    const Node* find_ref(const ModelRef& ref, std::string_view from_package) const;
    const SourceTable* find_source(const SourceRef& source, std::string_view from_package) const;
    // What function() names: a name, or a package and a name; found as refs are.
    const Node* find_function(const std::vector<std::string>& path, std::string_view from_package) const;
    void index();

private:
    std::unordered_map<std::string_view, const Node*> nodes_by_id_;
    std::unordered_map<std::string_view, const SourceTable*> sources_by_id_;
    std::unordered_multimap<std::string_view, const Node*> referable_;  // by name
    std::unordered_multimap<std::string_view, const SourceTable*> sources_by_table_;
    std::unordered_multimap<std::string_view, const Node*> functions_;  // by name
};

}  // namespace shaduf::models
