#include "cli/frame/kafka_connect.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/frame/kafka_connect_sinks.h"

namespace shaduf {

using Json = nlohmann::ordered_json;

Result<ConnectProperties> ConnectProperties::parse(std::string_view text) {
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) return Error(ErrorKind::invalid_config, "configuration is no JSON object");
    const Json& config = json.contains("config") && json["config"].is_object() ? json["config"] : json;
    ConnectProperties properties;
    for (const auto& [name, value] : config.items()) {
        properties.values_[name] = value.is_string() ? value.get<std::string>() : value.dump();
    }
    return properties;
}

std::string ConnectProperties::take(const std::string& name, const std::string& otherwise) {
    auto found = values_.extract(name);
    return found.empty() ? otherwise : std::move(found.mapped());
}

std::vector<std::string> ConnectProperties::take_list(const std::string& name) {
    const std::string text = take(name);
    std::vector<std::string> items;
    for (const auto& part : split(text, ',')) {
        if (const auto item = trim(part); !item.empty()) items.emplace_back(item);
    }
    return items;
}

bool ConnectProperties::take_flag(const std::string& name, bool otherwise) {
    return to_lower(take(name, otherwise ? "true" : "false")) == "true";
}

std::map<std::string, std::string> ConnectProperties::take_all(std::string_view prefix) {
    std::map<std::string, std::string> found;
    for (auto at = values_.lower_bound(std::string(prefix)); at != values_.end() && at->first.starts_with(prefix);) {
        found[at->first.substr(prefix.size())] = at->second;
        at = values_.erase(at);
    }
    return found;
}

std::vector<std::string> ConnectProperties::left() const {
    std::vector<std::string> names;
    for (const auto& [name, value] : values_) names.push_back(name);
    return names;
}

namespace {

using connect::Draft;
using connect::in_quotes;

constexpr std::string_view kS3Class = "io.confluent.connect.s3.S3SinkConnector";
constexpr std::string_view kBigQueryClasses[] = {"com.wepay.kafka.connect.bigquery.BigQuerySinkConnector",
                                                 "com.wepay.kafka.connect.bigquery.BigQuerySink"};

// Properties without an equal, and why; a name that ends in '*' stands for all that begin so.
struct Unmatched {
    std::string_view name;
    std::string_view why;
};
constexpr Unmatched kUnmatched[] = {
    {"flush.size", "files are cut by size and by time, not by count: set file_size of the table and commit_every"},
    {"tasks.max", "any number of processes may run the pipeline: each takes its part of the partitions"},
    {"transforms*", "messages are not changed on their way: rename under columns, or build a model behind it"},
    {"predicates*", "messages are not chosen by predicates: use a filter of a model"},
    {"key.converter*", "keys are read as key_format says, where metadata has key"},
    {"header.converter*", "headers are read as text, where metadata has headers"},
    {"schema.compatibility", "a type that widens widens the column; contract says what a stream may do"},
    {"schemas.cache.config", "schemas are kept for as long as a run lives"},
    {"enhanced.avro.schema.support", "Avro's own types are always kept"},
    {"connect.meta.data", "files do not carry the schema of Connect"},
    {"s3.part.size", "parts of uploads are as large as they have to be"},
    {"s3.part.retries", "what can be tried again is, with growing pauses"},
    {"s3.retry.backoff.ms", "what can be tried again is, with growing pauses"},
    {"retry.backoff.ms", "what can be tried again is, with growing pauses"},
    {"errors.retry.*", "what can be tried again is, with growing pauses"},
    {"errors.log.*", "reasons stand in the quarantine: shaduf quarantine ls"},
    {"errors.deadletterqueue.*", "the dead letter topic is made with the brokers' defaults, and always has headers"},
    {"s3.compression.*", "Parquet is compressed with zstd: set compression_level of the table"},
    {"parquet.codec", "Parquet is compressed with zstd: set compression_level of the table"},
    {"avro.codec", "files are Parquet, compressed with zstd"},
    {"s3.acl.canned", "objects have the bucket's rights"},
    {"s3.object.tagging*", "objects are not tagged"},
    {"s3.sse.customer.key", "keys of customers are not sent; use encryption: aws:kms:<key id>"},
    {"s3.wan.mode", "S3 Transfer Acceleration is not used"},
    {"s3.proxy.*", "the proxy of the environment (https_proxy) is taken"},
    {"s3.credentials.provider*", "set access_key, secret_key and session_token of the connection"},
    {"enable.conditional.writes", "a manifest put with a condition is what makes files count"},
    {"max.files.scan.limit", "nothing is scanned: the manifest names the files"},
    {"filename.offset.zero.pad.width", "offsets in names have a fixed width"},
    {"file.delim", "names of files are made in one way"},
    {"directory.delim", "folders are parted by /"},
    {"storage.class", "where files go is path of the connection"},
    {"locale", "dates are written in digits alone"},
    {"partition.duration.ms", "folders are of whole years, months, days or hours"},
    {"shutdown.timeout.ms", "a run that is stopped commits what it has"},
    {"behavior.on.error", "what cannot be read goes to quarantine"},
    {"autoCreate*", "tables are made when they are missing"},
    {"sanitize*", "names of columns are made fit for the warehouse in any case"},
    {"bigQueryRetry*", "what can be tried again is, with growing pauses"},
    {"enableRetries", "what can be tried again is, with growing pauses"},
    {"max.retries", "what can be tried again is, with growing pauses"},
    {"queueSize", "memory has a budget: memory of the project"},
    {"threadPoolSize", "workers follow the processors of the machine"},
    {"allBQFieldsNullable", "columns may always be null; expect not_null where they may not"},
    {"allowBigQueryRequiredFieldRelaxation", "columns may always be null; expect not_null where they may not"},
    {"allowSchemaUnionization", "columns of all messages are kept together: contract: evolve"},
    {"schemaRetriever", "schemas come from the messages and the registry"},
    {"avroDataCacheSize", "schemas are kept for as long as a run lives"},
    {"convert*", "values keep their type: cast under columns, or in a model"},
    {"bigQuery*", "partitions of tables are the warehouse's: make the table beforehand, or build a model"},
    {"timestampPartitionFieldName", "partitions of tables are the warehouse's: make the table beforehand"},
    {"timePartitioningType", "partitions of tables are the warehouse's: make the table beforehand"},
    {"partitionExpirationMs", "partitions of tables are the warehouse's: make the table beforehand"},
    {"clusteringPartitionFieldNames", "clustering of tables is the warehouse's: make the table beforehand"},
    {"enableBatchLoad", "rows are always loaded in batches, none through a bucket"},
    {"batchLoadIntervalSec", "rows are always loaded in batches: set commit_every"},
    {"gcs*", "rows are loaded without a bucket between"},
    {"intermediateTableSuffix", "rows are merged without a table between"},
    {"merge*", "rows are merged with every commit: set commit_every"},
    {"key*", "set the credentials of the sink's connection"},
    {"project", "set the project of the sink's connection"},
    {"deleteEnabled",
     "messages without a value delete nothing: tombstones: row keeps them, a model can leave them out"},
};

std::string why_not(const std::string& name) {
    for (const auto& [known, why] : kUnmatched) {
        const bool fits = known.ends_with('*') ? name.starts_with(known.substr(0, known.size() - 1)) : name == known;
        if (fits) return std::string(why);
    }
    return "it is not known here";
}

std::string yaml_of(const Draft& draft, const std::vector<std::string>& notes) {
    std::string text;
    for (const auto& note : notes) text += "# no equal: " + note + "\n";
    text += "source:\n  type: kafka\n";
    for (const auto& [name, value] : draft.source) text += "  " + name + ": " + value + "\n";
    if (draft.sink_name.empty()) {
        text += "sink:\n";
        for (const auto& [name, value] : draft.sink) text += "  " + name + ": " + value + "\n";
    } else {
        text += "sink: " + draft.sink_name + "\n";
    }
    if (!draft.schema.empty()) text += "schema: " + connect::in_quotes(draft.schema) + "\n";
    text += "streams:\n";
    for (const auto& stream : draft.streams) {
        text += "  " + in_quotes(stream.name) + ":\n";
        for (const auto& [name, value] : stream.options) text += "    " + name + ": " + value + "\n";
    }
    return text;
}

}  // namespace

Result<ConnectPipeline> read_kafka_connect(std::string_view text, const std::string& sink) {
    ConnectProperties properties = TRY(ConnectProperties::parse(text));
    properties.take("name");
    const std::string kind = properties.take("connector.class");
    Draft draft;
    TRY(connect::read_source(properties, draft));
    if (kind == kS3Class) {
        connect::read_s3(properties, draft);
    } else if (std::find(std::begin(kBigQueryClasses), std::end(kBigQueryClasses), kind) !=
               std::end(kBigQueryClasses)) {
        draft.sink_name = sink;
        connect::read_bigquery(properties, draft);
    } else {
        return Error(ErrorKind::invalid_config,
                     "connector is none that can be brought over: " + (kind.empty() ? "no connector.class" : kind) +
                         "; the S3 sink and the BigQuery sink are");
    }
    ConnectPipeline pipeline;
    pipeline.notes = draft.notes;
    for (const auto& name : properties.left()) pipeline.notes.push_back(name + ": " + why_not(name));
    std::sort(pipeline.notes.begin(), pipeline.notes.end());
    pipeline.variables = draft.variables;
    for (const auto& stream : draft.streams) pipeline.streams.push_back(stream.name);
    pipeline.yaml = yaml_of(draft, pipeline.notes);
    return pipeline;
}

}  // namespace shaduf
