#include <algorithm>

#include "base/text.h"
#include "connectors/connector.h"
#include "connectors/rest/client.h"
#include "connectors/rest/options.h"
#include "connectors/rest/source.h"
#include "io/http.h"

namespace shaduf {
namespace {

using rest::StreamSettings;

// The stream, its parent, that one's parent and so on.
Result<std::vector<StreamSettings>> read_family(const StreamRequest& request) {
    std::vector<StreamSettings> family;
    std::vector<std::string> names;
    for (const auto& [name, options] : request.pipeline_streams) names.push_back(name);
    family.push_back(TRY(rest::read_stream(request.options, request.stream)));
    const Options* child = &request.options;
    while (!family.back().parent.empty()) {
        const std::string& parent = family.back().parent;
        const auto found = std::find(names.begin(), names.end(), parent);
        if (found == names.end())
            return child->error("parent", "parent stream not found: " + parent + did_you_mean(parent, names));
        for (const StreamSettings& member : family) {
            if (member.name == parent) return child->error("parent", "parents go in a circle: " + parent);
        }
        child = &request.pipeline_streams[static_cast<size_t>(found - names.begin())].second;
        family.push_back(TRY(rest::read_stream(*child, parent)));
    }
    return family;
}

Result<std::unique_ptr<Source>> make_source(const Options& options, const StreamRequest& request) {
    auto connection = TRY(rest::read_connection(options, request.connection));
    return rest::RestSource::create(std::move(connection), TRY(read_family(request)), request.mode);
}

// Without a path to ask for, an API's root may well be no page: then that it answered, and did not refuse the
// credentials, is all that can be said.
Result<void> check(RunContext& run, const std::string& name, const Options& options) {
    const auto connection = TRY(rest::read_connection(options, name));
    const auto client = TRY(rest::Client::create(run, connection, "check"));
    HttpRequest request;
    request.url = TRY(client->resolve(options.text("check_path")));
    const int at_root[] = {400, 404, 405};
    const bool is_root = options.text("check_path").empty();
    auto response = client->send(run, request, is_root ? std::span<const int>(at_root) : std::span<const int>());
    if (!response.ok()) return response.error().at(Place::in_stream(name, ""));
    return {};
}

// Streams exist by declaration in a pipeline only.
Result<std::vector<StreamInfo>> discover(RunContext&, const std::string& name, const Options& options) {
    TRY(rest::read_connection(options, name));
    return std::vector<StreamInfo>{};
}

constexpr std::string_view kAuthTypes[] = {"none", "basic", "bearer", "api_key", "oauth2"};
constexpr std::string_view kKeyPlaces[] = {"header", "query"};
constexpr std::string_view kClientAuths[] = {"body", "basic"};
constexpr FieldSpec kAuthFields[] = {
    {.name = "type", .help = "How requests prove who they are.", .required = true, .choices = kAuthTypes},
    {.name = "username", .help = "For basic."},
    {.name = "password", .help = "For basic.", .secret = true},
    {.name = "token", .help = "The token of bearer, or the key of api_key.", .secret = true},
    {.name = "prefix", .help = "Stands before the token in Authorization.", .default_value = "Bearer"},
    {.name = "in", .help = "Where an api_key is sent.", .default_value = "header", .choices = kKeyPlaces},
    {.name = "name", .help = "The header or parameter of an api_key.", .default_value = "X-API-Key"},
    {.name = "token_url",
     .help = "For oauth2: where tokens are had.",
     .example = "https://auth.example.com/oauth/token"},
    {.name = "client_id", .help = "For oauth2."},
    {.name = "client_secret", .help = "For oauth2.", .secret = true},
    {.name = "refresh_token", .help = "For oauth2: without one, client credentials are used.", .secret = true},
    {.name = "scope", .help = "For oauth2: the scopes asked for, separated by spaces."},
    {.name = "token_params",
     .type = FieldType::text_map,
     .help = "For oauth2: more parameters of the token request, such as audience.",
     .secret = true},
    {.name = "client_auth",
     .help = "For oauth2: whether the client names itself in the body or by basic authentication.",
     .default_value = "body",
     .choices = kClientAuths},
};

constexpr FieldSpec kArchiveFields[] = {
    {.name = "path", .help = "A folder or s3://bucket/prefix.", .required = true, .example = "archive"},
    {.name = "retention",
     .type = FieldType::duration,
     .help = "How long answers are kept; without it, for ever.",
     .example = "90d"},
    {.name = "endpoint", .help = "Of an S3 server that is not AWS."},
    {.name = "region", .help = "Of the bucket.", .default_value = "us-east-1"},
    {.name = "access_key", .help = "For S3."},
    {.name = "secret_key", .help = "For S3.", .secret = true},
    {.name = "session_token", .help = "For S3, with temporary keys.", .secret = true},
};

constexpr FieldSpec kConnectionFields[] = {
    {.name = "base_url",
     .help = "What the paths of the streams are appended to.",
     .required = true,
     .example = "https://api.example.com/v1"},
    {.name = "headers", .type = FieldType::text_map, .help = "Sent with every request.", .secret = true},
    {.name = "auth", .type = FieldType::object, .help = "The credentials.", .children = kAuthFields},
    {.name = "rate_limit",
     .help = "Requests a second, minute or hour that all streams together may send.",
     .example = "10/s"},
    {.name = "burst",
     .type = FieldType::integer,
     .help = "Requests that may go out at once after a quiet time, within the rate limit.",
     .default_value = "1"},
    {.name = "concurrency",
     .type = FieldType::integer,
     .help = "Requests in flight at once, over all streams.",
     .default_value = "4"},
    {.name = "connect_timeout",
     .type = FieldType::duration,
     .help = "For a connection to be made.",
     .default_value = "10s"},
    {.name = "idle_timeout",
     .type = FieldType::duration,
     .help = "Without a byte arriving, before a request is given up and tried again.",
     .default_value = "60s"},
    {.name = "response_max", .type = FieldType::bytes, .help = "Larger answers are refused.", .default_value = "256MB"},
    {.name = "retry_on",
     .type = FieldType::text_list,
     .help = "Statuses to try again after, besides 408, 425, 429, 500, 502, 503 and 504.",
     .example = "[409]"},
    {.name = "give_up_on",
     .type = FieldType::text_list,
     .help = "Statuses never to try again after.",
     .example = "[500]"},
    {.name = "trusted_hosts",
     .type = FieldType::text_list,
     .help = "Other hosts that next URLs may lead to; they get the credentials.",
     .example = "[files.example.com]"},
    {.name = "check_path", .help = "What `shaduf check` asks for; without it, the base URL.", .example = "/me"},
    {.name = "archive",
     .type = FieldType::object,
     .help = "Where answers are kept as they came, compressed.",
     .children = kArchiveFields},
};

constexpr std::string_view kPagingTypes[] = {"none",          "page",        "offset",  "cursor",
                                             "header_cursor", "link_header", "next_url"};
constexpr std::string_view kParamPlaces[] = {"query", "body"};
constexpr std::string_view kStops[] = {"empty_page", "short_page"};
constexpr FieldSpec kPagingFields[] = {
    {.name = "type", .help = "How the API hands out a long list.", .required = true, .choices = kPagingTypes},
    {.name = "param",
     .help = "The parameter that carries the page, offset or cursor; default page, offset or cursor by the type."},
    {.name = "in", .help = "Where the parameters are sent.", .default_value = "query", .choices = kParamPlaces},
    {.name = "size_param",
     .help = "The parameter that carries the size; without it, the size is not sent.",
     .example = "limit"},
    {.name = "size", .type = FieldType::integer, .help = "Records a page.", .example = "100"},
    {.name = "start", .type = FieldType::integer, .help = "The first page (default 1) or offset (default 0)."},
    {.name = "cursor_path", .help = "Where the cursor or the next URL stands in the answer.", .example = "meta.next"},
    {.name = "record_path", .help = "For cursor: the field of the last record that is the cursor.", .example = "id"},
    {.name = "header", .help = "For header_cursor: the header that carries it.", .example = "X-Next-Cursor"},
    {.name = "total_path", .help = "Where the number of all records stands in the answer.", .example = "meta.total"},
    {.name = "pages_path", .help = "Where the number of pages stands in the answer.", .example = "meta.pages"},
    {.name = "more_path", .help = "Where a flag stands that says whether there are more.", .example = "has_more"},
    {.name = "stop",
     .help =
         "What ends pages and offsets, besides what the paths say: an empty page, or one of fewer records than size "
         "(one request less, but wrong when the API gives less than asked for).",
     .default_value = "empty_page",
     .choices = kStops},
    {.name = "max_pages",
     .type = FieldType::integer,
     .help = "More pages of one list are an error.",
     .default_value = "100000"},
};

constexpr std::string_view kCursorFormats[] = {"as_found", "iso", "date", "epoch_s", "epoch_ms"};
constexpr FieldSpec kIncrementalFields[] = {
    {.name = "cursor", .help = "Where the cursor stands in a record.", .required = true, .example = "updated_at"},
    {.name = "param", .help = "The parameter that asks for records from a cursor on.", .example = "updated_since"},
    {.name = "end_param", .help = "The parameter that asks for records up to a time: that of the run is sent."},
    {.name = "format",
     .help = "How the cursor is sent: as it stands in the records, or as a time in this form.",
     .default_value = "as_found",
     .choices = kCursorFormats},
    {.name = "start",
     .help = "Where a first run begins; without it, the parameter is left out.",
     .example = "2024-01-01"},
    {.name = "lookback",
     .type = FieldType::duration,
     .help = "How much earlier than the greatest cursor the next run begins.",
     .default_value = "0s",
     .example = "1h"},
};

constexpr std::string_view kFormats[] = {"json", "ndjson"};
constexpr std::string_view kMissing[] = {"error", "empty"};
constexpr std::string_view kResumes[] = {"none", "page", "cursor"};
constexpr FieldSpec kStreamFields[] = {
    {.name = "path",
     .help = "Appended to the base URL; {field} is that of the parent's record. Default: the stream's name.",
     .example = "/users/{id}/posts"},
    {.name = "method", .help = "GET, or POST for an API that is asked by its body.", .default_value = "GET"},
    {.name = "params", .type = FieldType::text_map, .help = "Sent in the query.", .example = "{status: open}"},
    {.name = "headers", .type = FieldType::text_map, .help = "Sent besides those of the connection.", .secret = true},
    {.name = "body", .type = FieldType::json, .help = "Sent as JSON; \"{field}\" is that of the parent's record."},
    {.name = "records",
     .help = "Where the list of records stands in the answer, * for every element; default: the answer itself.",
     .example = "data.items"},
    {.name = "records_missing",
     .help = "Whether an answer without `records` is an error or has none.",
     .default_value = "error",
     .choices = kMissing},
    {.name = "format", .help = "One JSON document, or one a line.", .default_value = "json", .choices = kFormats},
    {.name = "empty_on",
     .type = FieldType::text_list,
     .help = "Statuses that mean that there are no records.",
     .example = "[404]"},
    {.name = "paginate",
     .type = FieldType::object,
     .help = "How to get all of a long list.",
     .children = kPagingFields},
    {.name = "incremental",
     .type = FieldType::object,
     .help = "How to ask for what is new only; for mode incremental.",
     .children = kIncrementalFields},
    {.name = "resume",
     .help =
         "What makes it safe to go on within a load that was interrupted: nothing (it begins anew), pages that stay "
         "as they are, or records sorted by the incremental cursor.",
     .default_value = "none",
     .choices = kResumes},
    {.name = "parent",
     .help = "The stream of this pipeline whose every record has a list of its own.",
     .example = "users"},
    {.name = "include",
     .type = FieldType::text_map,
     .help = "Fields of the parent's record that its children get: their new names, and where they stand.",
     .example = "{user_id: id}"},
};

constexpr std::string_view kSummary = "Reads any HTTP API that answers in JSON, by declaration.";

}  // namespace

extern const ConnectorSpec connector_rest;
const ConnectorSpec connector_rest{.name = "rest",
                                   .summary = kSummary,
                                   .fields = kConnectionFields,
                                   .stream_fields = kStreamFields,
                                   .check = check,
                                   .discover = discover,
                                   .make_source = make_source};

}  // namespace shaduf
