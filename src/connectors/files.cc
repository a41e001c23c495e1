// Files of a folder or a bucket: CSV, JSON, NDJSON and Parquet in; Parquet, CSV and NDJSON out. The parts are in
// files/.
#include <array>

#include "connectors/connector.h"
#include "connectors/files/settings.h"

namespace shaduf {
namespace {

constexpr std::array<std::string_view, 3> kAddressings{"automatic", "path", "virtual_host"};
constexpr std::array<std::string_view, 5> kReadFormats{"auto", "ndjson", "json", "csv", "parquet"};
constexpr std::array<std::string_view, 3> kWriteFormats{"parquet", "csv", "ndjson"};

constexpr std::array kConnection{
    FieldSpec{.name = "path",
              .help = "The folder, or s3://bucket/prefix, that all names are relative to.",
              .required = true,
              .example = "s3://acme-lake/raw"},
    FieldSpec{.name = "endpoint", .help = "URL of an S3 server that is not AWS.", .example = "http://127.0.0.1:9000"},
    FieldSpec{.name = "region", .help = "Region of the bucket.", .default_value = "us-east-1"},
    FieldSpec{.name = "access_key", .help = "Access key id; without one, requests are not signed."},
    FieldSpec{.name = "secret_key", .help = "Secret of the access key.", .secret = true},
    FieldSpec{.name = "session_token", .help = "Token of temporary credentials.", .secret = true},
    FieldSpec{.name = "addressing",
              .help = "Whether the bucket stands in the path or in the host name of a URL.",
              .default_value = "automatic",
              .choices = kAddressings},
    FieldSpec{.name = "encryption",
              .help = "Server-side encryption of what is written: AES256, aws:kms or aws:kms:<key id>."},
};

constexpr std::array kStream{
    FieldSpec{.name = "files",
              .type = FieldType::text_list,
              .help = "Patterns of the files to read, relative to the connection's path; default: the stream's name.",
              .example = "events/**/*.ndjson.gz"},
    FieldSpec{.name = "format",
              .help = "Format of the files read; auto goes by the ending of the name.",
              .default_value = "auto",
              .choices = kReadFormats},
    FieldSpec{
        .name = "records", .help = "Where the list of records stands in a JSON document.", .example = "data.items"},
    FieldSpec{.name = "delimiter", .help = "Character between CSV fields; found out when not given."},
    FieldSpec{.name = "quote", .help = "Character around CSV fields.", .default_value = "\""},
    FieldSpec{.name = "null_text", .help = "An unquoted CSV field of this text is null, as an empty one is."},
    FieldSpec{.name = "header",
              .type = FieldType::text_list,
              .help = "Names of the CSV fields, for files that have no header line."},
};

constexpr std::array kTable{
    FieldSpec{.name = "format",
              .help = "Format of the files written; where the source is of files, too, write it under `table:`, since "
                      "`format` of the stream itself is that of the files read.",
              .default_value = "parquet",
              .choices = kWriteFormats},
    FieldSpec{.name = "partition_by",
              .type = FieldType::text_list,
              .help = "Columns, or year(c), month(c), day(c), hour(c), that folders are made of (name=value).",
              .example = "[event_date]"},
    FieldSpec{.name = "file_size",
              .type = FieldType::bytes,
              .help = "A file is ended when it has grown to this size.",
              .default_value = "128MB"},
    FieldSpec{.name = "compression_level",
              .type = FieldType::integer,
              .help = "Level of zstd in Parquet files, 1 to 19.",
              .default_value = "1"},
};

Result<void> check(RunContext& run, const std::string&, const Options& options) {
    const auto store = TRY(files::open_store(options));
    return store->list(run, "", [](std::span<const ObjectInfo>) -> Result<void> { return {}; });
}

}  // namespace

extern const ConnectorSpec connector_files;
const ConnectorSpec connector_files{
    .name = "files",
    .summary = "Files of a folder or an S3 bucket: CSV, JSON, NDJSON, Parquet; plain, gzip or zstd.",
    .fields = kConnection,
    .stream_fields = kStream,
    .table_fields = kTable,
    .check = check,
    .discover = files::discover,
    .make_source = files::make_source,
    .make_sink = files::make_sink,
    .make_store = files::make_store,
};

}  // namespace shaduf
