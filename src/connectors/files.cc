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
constexpr std::array<std::string_view, 2> kNamings{"load", "offsets"};

constexpr std::array kConnection{
    FieldSpec{.name = "path",
              .help = "The folder, s3://bucket/prefix or gs://bucket/prefix that all names are relative to.",
              .required = true,
              .example = "s3://acme-lake/raw"},
    FieldSpec{.name = "endpoint",
              .help = "URL of an S3 server that is not AWS, or of a stand-in for Google Cloud Storage.",
              .example = "http://127.0.0.1:9000"},
    FieldSpec{.name = "region", .help = "Region of the bucket; auto for gs://.", .default_value = "us-east-1"},
    FieldSpec{.name = "access_key",
              .help = "Access key id (of gs://: of an HMAC key); without one, requests are not signed."},
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
              .help = "Columns, or year(c), month(c), day(c), date(c), hour(c), that folders are made of (name=value).",
              .example = "[event_date]"},
    FieldSpec{.name = "file_size",
              .type = FieldType::bytes,
              .help = "A file is ended when it has grown to this size.",
              .default_value = "128MB"},
    FieldSpec{.name = "compression_level",
              .type = FieldType::integer,
              .help = "Level of zstd in Parquet files, 1 to 19.",
              .default_value = "1"},
    FieldSpec{.name = "naming",
              .help = "How files are named: by the load; or by the offsets of a topic's partition, for readers that "
                      "only list, which needs the columns topic, partition and offset of the source's metadata.",
              .default_value = "load",
              .choices = kNamings},
    FieldSpec{.name = "offsets_prefix",
              .help = "With naming: offsets, what stands before the names of those three columns.",
              .default_value = "_kafka_"},
    FieldSpec{.name = "close_marker",
              .help = "Name of an object that is put into a folder of a time once it is closed: when the stream has "
                      "passed its end by `lateness`.",
              .example = "_SUCCESS"},
    FieldSpec{.name = "lateness",
              .type = FieldType::duration,
              .help = "With close_marker, how long after the end of a folder's time rows of it are waited for.",
              .default_value = "1h"},
    FieldSpec{.name = "sweep_after",
              .type = FieldType::duration,
              .help = "Where several processes write the table: how old files that no commit names must be before "
                      "they are removed; well above the time between two commits.",
              .default_value = "1h"},
};

Result<void> check(RunContext& run, const std::string&, const Options& options) {
    const auto store = TRY(files::open_store(options));
    return store->list(run, "", [](std::span<const ObjectInfo>) -> Result<void> { return {}; });
}

}  // namespace

extern const ConnectorSpec connector_files;
const ConnectorSpec connector_files{
    .name = "files",
    .summary =
        "Files of a folder, an S3 or a Google Cloud Storage bucket: CSV, JSON, NDJSON, Parquet; plain, gzip or zstd.",
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
