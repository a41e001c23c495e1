#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#include "base/text.h"
#include "connectors/kafka/decoder.h"
#include "connectors/kafka/decoder_fields.h"
#include "connectors/kafka/schema_registry.h"

namespace shaduf::kafka {
namespace {

constexpr Format kFormatValues[] = {Format::json, Format::json_schema, Format::avro, Format::protobuf,
                                    Format::csv,  Format::text,        Format::raw};
Format format_of(const std::string& name) {
    const auto* at = std::find(std::begin(kFormats), std::end(kFormats), name);
    return kFormatValues[at - std::begin(kFormats)];
}

Result<MetadataColumns> read_metadata(const Options& options) {
    MetadataColumns columns;
    columns.prefix = options.text("metadata_prefix");
    const std::pair<std::string_view, bool*> known[] = {{"key", &columns.key},
                                                        {"headers", &columns.headers},
                                                        {"timestamp", &columns.timestamp},
                                                        {"topic", &columns.topic},
                                                        {"partition", &columns.partition},
                                                        {"offset", &columns.offset},
                                                        {"tombstone", &columns.tombstone}};
    for (const std::string& name : options.text_list("metadata")) {
        const auto* at =
            std::find_if(std::begin(known), std::end(known), [&](const auto& entry) { return entry.first == name; });
        if (at == std::end(known)) {
            std::vector<std::string> names;
            for (const auto& entry : known) names.emplace_back(entry.first);
            return options.error("metadata", "metadata is not known: " + name + did_you_mean(name, names));
        }
        *at->second = true;
    }
    const auto is_plain = [](char c) {
        return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    };
    if (!std::all_of(columns.prefix.begin(), columns.prefix.end(), is_plain)) {
        return options.error("metadata_prefix", "metadata_prefix has other characters than letters, digits and _: " +
                                                    columns.prefix + "; choose another");
    }
    return columns;
}

Result<std::shared_ptr<const CsvDialect>> read_dialect(const Options& options) {
    auto dialect = std::make_shared<CsvDialect>();
    dialect->header = options.text_list("csv_columns");
    std::string delimiter = options.text("csv_delimiter");
    if (delimiter == "\\t") delimiter = "\t";
    if (delimiter.size() != 1 || delimiter == "\"" || delimiter == "\n" || delimiter == "\r") {
        return options.error("csv_delimiter", "csv_delimiter is not one character: " + delimiter + "; give one, as ;");
    }
    dialect->delimiter = delimiter[0];
    return std::shared_ptr<const CsvDialect>(std::move(dialect));
}

std::string default_subject(const StreamRequest& request) {
    const auto topics = request.options.text_list("topics");
    const bool is_one = topics.size() == 1 && !topics[0].starts_with('^');
    return subject_name(SubjectStrategy::topic, SubjectPart::value, is_one ? topics[0] : request.stream, "");
}

}  // namespace

std::span<const FieldSpec> decoder_stream_fields() { return kDecoderStreamFields; }
std::span<const FieldSpec> registry_connection_fields() { return kRegistryFields; }

Result<DecoderSettings> read_decoder_settings(const Options& connection, const StreamRequest& request) {
    DecoderSettings settings;
    settings.connection = request.connection;
    settings.stream = request.stream;
    settings.value = format_of(request.options.text("format"));
    settings.key = format_of(request.options.text("key_format"));
    settings.metadata = TRY(read_metadata(request.options));
    const std::string tombstones = request.options.text("tombstones");
    if (tombstones == "skip") settings.tombstones = Tombstones::skip;
    if (tombstones == "row") settings.tombstones = Tombstones::row;
    if (settings.value == Format::csv) settings.csv = TRY(read_dialect(request.options));
    settings.registry = TRY(SchemaRegistry::from_options(connection, request.connection));
    if (request.options.has("reader_schema")) {
        if (settings.value != Format::avro) {
            return request.options.error("reader_schema", "reader_schema is of format avro only; leave it out");
        }
        settings.reader_schema = request.options.text("reader_schema");
        settings.reader_subject = request.options.text("reader_subject");
        if (settings.reader_subject.empty()) settings.reader_subject = default_subject(request);
    } else if (request.options.has("reader_subject")) {
        return request.options.error("reader_subject", "reader_subject is of reader_schema: latest; set that as well");
    }
    return settings;
}

}  // namespace shaduf::kafka
