#include "config/pipeline_reader.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "config/stream_rules.h"
#include "config/via.h"

namespace shaduf {
namespace {

constexpr std::string_view kModes[] = {"full_refresh", "incremental", "cdc", "stream"};
constexpr std::string_view kWrites[] = {"append", "replace", "merge", "history", "slices"};
constexpr std::string_view kContracts[] = {"evolve", "freeze", "discard_row", "discard_column"};
constexpr std::string_view kNestings[] = {"flatten", "structure", "json"};
constexpr std::string_view kUnlisted[] = {"ignore", "keep"};

constexpr FieldSpec kPipelineFields[] = {
    {.name = "source",
     .type = FieldType::any,
     .help = "The connection to read from: its name, or a map with its type and options.",
     .required = true},
    {.name = "sink",
     .type = FieldType::any,
     .help = "The connection to write to: its name, `warehouse` for the environment's, or a map.",
     .required = true},
    {.name = "schema", .type = FieldType::text, .help = "The schema of the tables in the sink."},
    {.name = "schedule",
     .type = FieldType::text,
     .help = "When to run, as five cron fields.",
     .example = "\"0 * * * *\""},
    {.name = "streams",
     .type = FieldType::any,
     .help = "The streams by name, or a list of names; without it the pipeline is one stream of the file's name."},
    {.name = "via",
     .type = FieldType::any,
     .help = "Topics of Kafka between the source and the sink: a map with the connection, and what the topics are."},
    {.name = "streams_parallel",
     .type = FieldType::integer,
     .help = "How many streams are read at the same time.",
     .default_value = "4"},
    {.name = "memory", .type = FieldType::bytes, .help = "The memory of one run; the project's unless given."},
    {.name = "description", .type = FieldType::text, .help = "What the pipeline is for."},
};

constexpr FieldSpec kQuarantineFields[] = {
    {.name = "max_rows", .type = FieldType::integer, .help = "How many rows it may take."},
    {.name = "max_percent", .type = FieldType::number, .help = "What share of the rows read it may take, 0 to 100."},
};

constexpr FieldSpec kStreamFields[] = {
    {.name = "mode",
     .type = FieldType::text,
     .help = "How the source is read; full_refresh, unless the source says otherwise of the stream.",
     .choices = kModes},
    {.name = "write",
     .type = FieldType::text,
     .help =
         "How the table is written; replace for full_refresh; merge with a key, else append, for other modes; slices "
         "for the reports of sources that have them.",
     .choices = kWrites},
    {.name = "table",
     .type = FieldType::any,
     .help = "The table's name, or a map of name and the sink's options for it; the stream's name unless given."},
    {.name = "key", .type = FieldType::text_list, .help = "Columns that name a row, for merge and history."},
    {.name = "order_by",
     .type = FieldType::text,
     .help = "Of two rows of a key the one with the greater value of this column wins."},
    {.name = "contract",
     .type = FieldType::text,
     .help = "What happens to data that does not fit the table.",
     .default_value = "evolve",
     .choices = kContracts},
    {.name = "columns",
     .type = FieldType::any,
     .help = "By name, the path of each column in the source, or a map of `from` and `type`."},
    {.name = "unlisted",
     .type = FieldType::text,
     .help = "What happens to fields that `columns` does not name.",
     .default_value = "ignore",
     .choices = kUnlisted},
    {.name = "nested",
     .type = FieldType::text,
     .help = "What becomes of nested values: columns a__b, structures and lists, or JSON.",
     .default_value = "flatten",
     .choices = kNestings},
    {.name = "expect", .type = FieldType::any, .help = "What the rows must fulfil: a list of expectations."},
    {.name = "policies",
     .type = FieldType::any,
     .help = "By column: drop, hash, mask, {mask: KEPT}, {truncate: LENGTH} or tokenize."},
    {.name = "quarantine",
     .type = FieldType::object,
     .help = "How many rows may go to quarantine, for whatever reason; more stop the stream before they are committed. "
             "Of a "
             "stream without an end it is judged by what comes between commits, a thousand rows at least.",
     .children = kQuarantineFields,
     .example = "{max_rows: 1000, max_percent: 1}"},
    {.name = "restatements",
     .type = FieldType::duration,
     .help = "How long rows that slices replaced are kept in <table>__restatements.",
     .default_value = "400d"},
    {.name = "commit_every",
     .type = FieldType::duration,
     .help = "How often rows and position are committed.",
     .default_value = "30s"},
    {.name = "retries",
     .type = FieldType::integer,
     .help = "How often a read that failed for what may pass (a connection, a limit) is tried again, after longer and "
             "longer waits; each that succeeds begins the count anew.",
     .default_value = "5"},
    {.name = "sample_rows",
     .type = FieldType::integer,
     .help = "How many rows types are inferred from.",
     .default_value = "1000"},
};

bool names(std::span<const FieldSpec> fields, std::string_view key) {
    return std::any_of(fields.begin(), fields.end(), [&](const FieldSpec& field) { return field.name == key; });
}

const Node::Entry* find_entry(const std::vector<Node::Entry>& entries, std::string_view key) {
    for (const auto& entry : entries) {
        if (entry.key == key) return &entry;
    }
    return nullptr;
}

template <typename Enum, size_t count>
Enum enum_of(const std::string& text, const std::string_view (&texts)[count], Enum fallback) {
    for (size_t i = 0; i < count; ++i) {
        if (texts[i] == text) return static_cast<Enum>(i);
    }
    return fallback;
}

class PipelineReader {
public:
    PipelineReader(std::string name, const PipelineSettings& settings, const ProjectWorld& world,
                   const References& references, Connections& connections, std::vector<Error>& errors)
        : settings_(settings),
          world_(world),
          connections_(connections),
          errors_(errors),
          resolve_(
              [&references](std::string_view text, const Place& place) { return references.resolve(text, place); }) {
        out_.name = out_.title = std::move(name);
    }

    std::vector<PipelineConfig> read(const Node& node) {
        if (!node.is_map()) {
            fail(node.place(), "a pipeline is a map with source, sink and streams");
            return {};
        }
        out_.file = node.place().file;
        out_.place = node.place();
        read_own_keys(node);
        const ConnectionConfig* source = read_connection(node, "source", source_rest_);
        const ConnectionConfig* sink = read_connection(node, "sink", sink_rest_);
        if (source == nullptr || sink == nullptr) return {};
        out_.source = source->name;
        out_.sink = sink->name;
        source_fields_ = *world_.connector(source->type);
        sink_fields_ = *world_.connector(sink->type);
        check_roles(node, *source, *sink);
        take_sink_keys();
        read_streams(node["streams"], node.place());
        check_tables();
        if (node["via"].is_null()) return {std::move(out_)};
        return split_at_topics(std::move(out_), node["via"], {world_, resolve_, connections_, errors_});
    }

private:
    void fail(const Place& place, std::string message) {
        errors_.push_back(Error(ErrorKind::invalid_config, std::move(message)).at(place));
    }
    void add_errors(std::vector<Error> errors) {
        for (Error& error : errors) errors_.push_back(std::move(error));
    }

    void read_own_keys(const Node& node) {
        std::vector<Node::Entry> own;
        for (const auto& entry : node.entries()) {
            (names(kPipelineFields, entry.key) ? own : shared_).push_back(entry);
        }
        Options options;
        auto errors = Options::create(kPipelineFields, Node::map(std::move(own), node.place()), resolve_, options);
        const bool readable = errors.empty();
        add_errors(std::move(errors));
        out_.schema = options.text("schema");
        out_.schedule = options.text("schedule");
        out_.streams_parallel = options.integer("streams_parallel");
        out_.memory_bytes = options.has("memory") ? options.bytes("memory") : settings_.memory_bytes;
        if (readable && (out_.streams_parallel < 1 || out_.streams_parallel > 64)) {
            errors_.push_back(options.error("streams_parallel", "expected 1 to 64"));
        }
    }

    const ConnectionConfig* read_connection(const Node& node, const std::string& role, std::vector<Node::Entry>& rest) {
        const Node& value = node[role];
        if (value.is_map()) return connections_.add_inline(out_.name + "." + role, value, rest);
        if (value.is_null()) return nullptr;  // told as a missing key already
        if (!value.is_scalar()) {
            fail(value.place(), role + ": expected a connection's name or a map with a type");
            return nullptr;
        }
        std::string name = value.text();
        if (name == "warehouse" && !settings_.warehouse.empty()) {
            name = settings_.warehouse;
        } else if (name == "warehouse" && !connections_.declares(name)) {
            fail(value.place(), "no warehouse is set; write warehouse: CONNECTION in shaduf.yml, or name a connection");
            return nullptr;
        }
        return connections_.get(name, value.place());
    }

    void check_roles(const Node& node, const ConnectionConfig& source, const ConnectionConfig& sink) {
        if (!source_fields_.is_source) {
            fail(node["source"].place(), "cannot be read from: " + source.name + " is of type " + source.type);
        }
        if (!sink_fields_.is_sink) {
            fail(node["sink"].place(), "cannot be written to: " + sink.name + " is of type " + sink.type);
        }
    }

    // A sink written in the pipeline may name its table and schema.
    void take_sink_keys() {
        for (auto entry = sink_rest_.begin(); entry != sink_rest_.end();) {
            if (entry->key == "schema" && entry->value.is_scalar()) {
                out_.schema = entry->value.text();
            } else if (entry->key == "table") {
                shared_.push_back(*entry);
            } else {
                ++entry;
                continue;
            }
            entry = sink_rest_.erase(entry);
        }
    }

    void read_streams(const Node& streams, const Place& place) {
        if (streams.is_null()) return read_stream(out_.name, Node::map({}, place), place, true);
        for (const Node& item : streams.items()) {
            if (item.is_scalar()) {
                read_stream(item.text(), Node::map({}, item.place()), item.place(), false);
            } else {
                fail(item.place(), "streams: an item of the list is a stream's name");
            }
        }
        for (const auto& entry : streams.entries()) {
            if (entry.value.is_map() || entry.value.is_null()) {
                read_stream(entry.key, entry.value, entry.key_place, false);
            } else {
                fail(entry.key_place, "stream " + entry.key + ": expected a map of options");
            }
        }
        if (streams.is_scalar() || (streams.items().empty() && streams.entries().empty())) {
            fail(streams.place(), "streams: expected at least one stream, by name");
        }
    }

    // The keys of a stream by who reads them. The stream's own win over those of the pipeline, and those over the
    // project's defaults.
    struct Parts {
        std::vector<Node::Entry> common;
        std::vector<Node::Entry> source;
        std::vector<Node::Entry> table;
    };

    // Where a key stands: at the top of the file it may be the pipeline's, too.
    enum class Level : uint8_t { pipeline, stream };

    void sort_entry(const Node::Entry& entry, Level level, Parts& parts) {
        auto* part = names(kStreamFields, entry.key)           ? &parts.common
                     : names(source_fields_.stream, entry.key) ? &parts.source
                     : names(sink_fields_.table, entry.key)    ? &parts.table
                                                               : nullptr;
        if (part == nullptr) return fail_unknown(entry, level);
        if (find_entry(*part, entry.key) == nullptr) part->push_back(entry);
    }

    void fail_unknown(const Node::Entry& entry, Level level) {
        if (!told_.insert({entry.key_place.line, entry.key}).second) return;  // a shared key, for another stream
        std::vector<std::string> known;
        if (level == Level::pipeline) {
            for (const FieldSpec& field : kPipelineFields) known.emplace_back(field.name);
        }
        for (const auto fields :
             {std::span<const FieldSpec>(kStreamFields), source_fields_.stream, sink_fields_.table}) {
            for (const FieldSpec& field : fields) known.emplace_back(field.name);
        }
        const bool misplaced = std::find(known.begin(), known.end(), entry.key) != known.end();
        fail(entry.key_place,
             misplaced ? "key does not belong here: " + entry.key + "; write it beside source, or under a stream"
                       : "unknown key: " + entry.key + did_you_mean(entry.key, known));
    }

    Parts sort_entries(const Node& node) {
        Parts parts;
        for (const auto& entry : node.entries()) sort_entry(entry, Level::stream, parts);
        for (const auto& entry : shared_) sort_entry(entry, Level::pipeline, parts);
        for (const auto& entry : source_rest_) add_unless_given(entry, source_fields_.stream, parts.source);
        for (const auto& entry : sink_rest_) add_unless_given(entry, sink_fields_.table, parts.table);
        for (const auto& entry : settings_.defaults.entries()) add_unless_given(entry, kStreamFields, parts.common);
        return parts;
    }

    void add_unless_given(const Node::Entry& entry, std::span<const FieldSpec> fields, std::vector<Node::Entry>& part) {
        if (!names(fields, entry.key)) return fail_unknown(entry, Level::stream);
        if (find_entry(part, entry.key) == nullptr) part.push_back(entry);
    }

    void read_stream(const std::string& name, const Node& node, const Place& place, bool is_only) {
        StreamConfig stream;
        stream.name = name;
        stream.place = place;
        Parts parts = sort_entries(node);
        read_table(parts, is_only, stream);
        Options common;
        add_errors(Options::create(kStreamFields, Node::map(std::move(parts.common), place), resolve_, common));
        add_errors(Options::create(source_fields_.stream, Node::map(std::move(parts.source), place), resolve_,
                                   stream.source_options));
        StreamDefaults defaults;
        if (source_fields_.stream_defaults != nullptr)
            defaults = source_fields_.stream_defaults(stream.name, stream.source_options);
        read_common(common, defaults, stream);
        add_errors(Options::create(sink_fields_.table, Node::map(std::move(parts.table), place), resolve_,
                                   stream.table_options));
        const bool is_twice = std::any_of(out_.streams.begin(), out_.streams.end(),
                                          [&](const StreamConfig& other) { return other.name == name; });
        if (is_twice) fail(place, "stream given twice: " + name);
        out_.streams.push_back(std::move(stream));
    }

    void read_table(Parts& parts, bool is_only, StreamConfig& stream) {
        stream.table = stream.name;
        const Node::Entry* found = find_entry(parts.common, "table");
        if (found == nullptr) return;
        const Node::Entry table = *found;
        if (table.value.is_scalar()) stream.table = table.value.text();
        for (const auto& entry : table.value.entries()) {
            if (entry.key == "name" && entry.value.is_scalar()) {
                stream.table = entry.value.text();
            } else if (names(sink_fields_.table, entry.key)) {
                std::erase_if(parts.table, [&](const Node::Entry& other) { return other.key == entry.key; });
                parts.table.push_back(entry);
            } else {
                std::vector<std::string> known{"name"};
                for (const FieldSpec& field : sink_fields_.table) known.emplace_back(field.name);
                fail(entry.key_place, "unknown key: " + entry.key + did_you_mean(entry.key, known));
            }
        }
        if (table.value.is_list() || stream.table.empty()) fail(table.key_place, "table: expected a name");
        if (is_only) stream.name = stream.table;
    }

    void read_common(const Options& options, const StreamDefaults& defaults, StreamConfig& stream) {
        stream.mode = enum_of(options.text("mode"), kModes, defaults.mode.value_or(ReadMode::full_refresh));
        stream.key = options.has("key") ? options.text_list("key") : defaults.key;
        stream.order_by = options.text("order_by");
        stream.contract = enum_of(options.text("contract"), kContracts, ContractMode::evolve);
        stream.nested = enum_of(options.text("nested"), kNestings, Nesting::flatten);
        stream.commit_every = options.duration("commit_every");
        stream.restatements = options.duration("restatements");
        stream.sample_rows = options.integer("sample_rows");
        stream.retries = options.integer("retries");
        const bool as_told = stream.mode == defaults.mode.value_or(ReadMode::full_refresh);
        stream.write = enum_of(options.text("write"), kWrites,
                               as_told && defaults.write ? *defaults.write : default_write(stream));
        check_slices(options, defaults, stream);
        stream.columns = read_columns(options.node("columns"), errors_);
        stream.ignore_unlisted = !stream.columns.empty() && options.text("unlisted") != "keep";
        read_quarantine(options.object("quarantine"), stream.quarantine);
        stream.expect = read_expectations(options.node("expect"), resolve_, errors_);
        stream.policies = read_policies(options.node("policies"), errors_);
        // A table of the pipeline's own schema is named without it, so that streams find each other.
        for (ExpectConfig& expect : stream.expect) {
            const std::string prefix = out_.schema + ".";
            if (!out_.schema.empty() && expect.to_table.starts_with(prefix)) expect.to_table.erase(0, prefix.size());
        }
        if (stream.sample_rows < 0 || options.node("sample_rows").text() == "0")
            errors_.push_back(options.error("sample_rows", "expected at least 1"));
        constexpr int64_t kRetriesMax = 1000;
        if (stream.retries < 0 || stream.retries > kRetriesMax)
            errors_.push_back(options.error("retries", "expected 0 to " + std::to_string(kRetriesMax)));
        check_key(options, stream);
        check_policies(stream);
    }

    void read_quarantine(const Options& options, QuarantineLimit& limit) {
        if (options.has("max_rows")) {
            limit.max_rows = options.integer("max_rows");
            if (*limit.max_rows < 0) errors_.push_back(options.error("max_rows", "expected 0 or more"));
        }
        if (options.has("max_percent")) {
            limit.max_percent = options.number("max_percent");
            const bool is_percent = *limit.max_percent >= 0 && *limit.max_percent <= 100;
            if (!is_percent) errors_.push_back(options.error("max_percent", "expected 0 to 100"));
        }
    }

    void check_slices(const Options& options, const StreamDefaults& defaults, StreamConfig& stream) {
        if (stream.write != WriteMode::slices) return;
        if (defaults.write != WriteMode::slices)
            errors_.push_back(options.error("write", "source has no slices of this stream; write: merge with a key"));
        // A load that is killed costs what was not committed: little, where a slice may have taken minutes to get.
        if (!options.has("commit_every")) stream.commit_every = std::chrono::seconds(1);
    }

    static WriteMode default_write(const StreamConfig& stream) {
        if (stream.mode == ReadMode::full_refresh) return WriteMode::replace;
        return stream.key.empty() || stream.mode == ReadMode::stream ? WriteMode::append : WriteMode::merge;
    }

    void check_key(const Options& options, const StreamConfig& stream) {
        if (stream.write == WriteMode::slices && stream.mode != ReadMode::incremental)
            errors_.push_back(options.error("write", "slices are of mode incremental only: set write: replace"));
        const bool keyed = stream.write == WriteMode::merge || stream.write == WriteMode::history;
        if (keyed && stream.key.empty()) {
            errors_.push_back(options.error("write", options.text("write") + " needs a key: add key: [column]"));
        }
        if (!keyed && !stream.order_by.empty()) {
            errors_.push_back(options.error("order_by", "only merge and history compare rows: set write: merge"));
        }
        if (!stream.ignore_unlisted) return;
        for (const std::string& column : stream.key) {
            const bool listed =
                std::any_of(stream.columns.begin(), stream.columns.end(),
                            [&](const ColumnConfig& known) { return equals_ignoring_case(known.name, column); });
            if (!listed) errors_.push_back(options.error("key", "not among the columns: " + column));
        }
    }

    void check_policies(const StreamConfig& stream) {
        std::vector<std::string> listed;
        for (const ColumnConfig& column : stream.columns) listed.push_back(column.name);
        for (const PolicyConfig& policy : stream.policies) {
            const bool known = std::any_of(listed.begin(), listed.end(), [&](const std::string& name) {
                return equals_ignoring_case(name, policy.column);
            });
            if (stream.ignore_unlisted && !known) {
                fail(policy.place,
                     "policy of a column that is not there: " + policy.column + did_you_mean(policy.column, listed));
            }
            const bool needs_key = policy.kind == PolicyKind::hash || policy.kind == PolicyKind::tokenize;
            if (!needs_key || settings_.has_policy_key) continue;
            fail(policy.place, "policy of column " + policy.column +
                                   " needs a key: set policy_key: ${secret:policy_key} in shaduf.yml");
        }
    }

    void check_tables() {
        std::vector<const StreamConfig*> seen;
        for (const StreamConfig& stream : out_.streams) {
            for (const StreamConfig* other : seen) {
                if (!equals_ignoring_case(other->table, stream.table) || other->name == stream.name) continue;
                fail(stream.place, "two streams write one table: " + stream.table + ", also of stream " + other->name);
            }
            seen.push_back(&stream);
        }
    }

    const PipelineSettings& settings_;
    const ProjectWorld& world_;
    Connections& connections_;
    std::vector<Error>& errors_;
    const ValueResolver resolve_;
    PipelineConfig out_;
    ConnectorFields source_fields_;
    ConnectorFields sink_fields_;
    std::set<std::pair<int, std::string>> told_;  // unknown keys, by line
    std::vector<Node::Entry> shared_;             // of the pipeline, for each stream
    std::vector<Node::Entry> source_rest_;        // keys of a source written in the pipeline that are a stream's
    std::vector<Node::Entry> sink_rest_;          // the same of the sink
};

}  // namespace

std::vector<PipelineConfig> read_pipeline(const std::string& name, const Node& node, const PipelineSettings& settings,
                                          const ProjectWorld& world, const References& references,
                                          Connections& connections, std::vector<Error>& errors) {
    return PipelineReader(name, settings, world, references, connections, errors).read(node);
}

std::span<const FieldSpec> pipeline_fields() { return kPipelineFields; }
std::span<const FieldSpec> stream_fields() { return kStreamFields; }

}  // namespace shaduf
