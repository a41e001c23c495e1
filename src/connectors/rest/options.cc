#include "connectors/rest/options.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace shaduf::rest {
namespace {

template <typename T>
struct Choice {
    std::string_view name;
    T value;
};

// The value of a field whose choices are checked already.
template <typename T, size_t N>
T choose(const Options& options, std::string_view field, const Choice<T> (&choices)[N]) {
    const std::string text = options.text(field);
    for (const auto& choice : choices) {
        if (choice.name == text) return choice.value;
    }
    return choices[0].value;
}

Result<std::vector<int>> read_statuses(const Options& options, std::string_view field) {
    std::vector<int> statuses;
    for (const auto& text : options.text_list(field)) {
        int status = 0;
        const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), status);
        if (failed != std::errc() || end != text.data() + text.size() || status < 100 || status > 599)
            return options.error(field, "not an HTTP status: " + text + "; give numbers such as 404");
        statuses.push_back(status);
    }
    return statuses;
}

// "10/s", "600/m", "1000/h"
Result<double> read_rate(const Options& options) {
    const std::string text = options.text("rate_limit");
    if (text.empty()) return 0.0;
    const Choice<double> units[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"second", 1}, {"minute", 60}, {"hour", 3600}};
    const auto slash = text.find('/');
    double count = 0;
    const auto number = trim(std::string_view(text).substr(0, slash));
    const auto [end, failed] = std::from_chars(number.data(), number.data() + number.size(), count);
    if (slash != std::string::npos && failed == std::errc() && end == number.data() + number.size() && count > 0) {
        for (const auto& unit : units) {
            if (trim(std::string_view(text).substr(slash + 1)) == unit.name) return count / unit.value;
        }
    }
    return options.error("rate_limit", "not a rate: " + text + "; write 10/s, 600/m or 1000/h");
}

Result<int64_t> read_at_least(const Options& options, std::string_view field, int64_t least) {
    const int64_t value = options.integer(field);
    if (value >= least) return value;
    return options.error(field, std::string(field) + " is too small: " + std::to_string(value) + "; give at least " +
                                    std::to_string(least));
}

// The fields that a kind of authentication cannot do without.
Result<void> require_fields(const Options& auth, std::initializer_list<std::string_view> fields) {
    for (const auto field : fields) {
        if (auth.text(field).empty())
            return auth.error("type", "auth of type " + auth.text("type") + " needs " + std::string(field));
    }
    return {};
}

Result<AuthSettings> read_auth(const Options& options) {
    AuthSettings auth;
    if (!options.has("auth")) return auth;
    const Options& given = options.object("auth");
    auth.kind = choose<AuthKind>(given, "type",
                                 {{"none", AuthKind::none},
                                  {"basic", AuthKind::basic},
                                  {"bearer", AuthKind::bearer},
                                  {"api_key", AuthKind::api_key},
                                  {"oauth2", AuthKind::oauth2}});
    if (auth.kind == AuthKind::basic) TRY(require_fields(given, {"username"}));
    if (auth.kind == AuthKind::bearer || auth.kind == AuthKind::api_key) TRY(require_fields(given, {"token"}));
    if (auth.kind == AuthKind::oauth2) TRY(require_fields(given, {"token_url", "client_id"}));
    auth.username = given.text("username");
    auth.password = given.text("password");
    auth.token = given.text("token");
    auth.prefix = given.text("prefix");
    auth.name = given.text("name");
    auth.place = choose<KeyPlace>(given, "in", {{"header", KeyPlace::header}, {"query", KeyPlace::query}});
    auth.token_url = given.text("token_url");
    auth.client_id = given.text("client_id");
    auth.client_secret = given.text("client_secret");
    auth.refresh_token = given.text("refresh_token");
    auth.scope = given.text("scope");
    auth.token_params = given.text_map("token_params");
    auth.client_auth =
        choose<ClientAuth>(given, "client_auth", {{"body", ClientAuth::body}, {"basic", ClientAuth::basic}});
    return auth;
}

ArchiveSettings read_archive(const Options& options) {
    ArchiveSettings archive;
    if (!options.has("archive")) return archive;
    const Options& given = options.object("archive");
    archive.store = ObjectStoreSettings{.url = given.text("path"),
                                        .endpoint = given.text("endpoint"),
                                        .region = given.text("region"),
                                        .access_key = given.text("access_key"),
                                        .secret_key = given.text("secret_key"),
                                        .session_token = given.text("session_token")};
    archive.retention = given.duration("retention");
    return archive;
}

Result<PagingSettings> read_paging(const Options& options) {
    PagingSettings paging;
    if (!options.has("paginate")) return paging;
    const Options& given = options.object("paginate");
    paging.kind = choose<PagingKind>(given, "type",
                                     {{"none", PagingKind::none},
                                      {"page", PagingKind::page},
                                      {"offset", PagingKind::offset},
                                      {"cursor", PagingKind::cursor},
                                      {"header_cursor", PagingKind::header_cursor},
                                      {"link_header", PagingKind::link_header},
                                      {"next_url", PagingKind::next_url}});
    const bool is_page = paging.kind == PagingKind::page;
    paging.param = given.text("param");
    if (paging.param.empty())
        paging.param = is_page ? "page" : (paging.kind == PagingKind::offset ? "offset" : "cursor");
    paging.place = choose<ParamPlace>(given, "in", {{"query", ParamPlace::query}, {"body", ParamPlace::body}});
    paging.size_param = given.text("size_param");
    paging.size = given.integer("size");
    paging.start = given.has("start") ? given.integer("start") : (is_page ? 1 : 0);
    paging.cursor_path = parse_json_path(given.text("cursor_path"));
    paging.record_path = parse_json_path(given.text("record_path"));
    paging.header = given.text("header");
    paging.total_path = parse_json_path(given.text("total_path"));
    paging.pages_path = parse_json_path(given.text("pages_path"));
    paging.more_path = parse_json_path(given.text("more_path"));
    paging.stop =
        choose<StopAt>(given, "stop", {{"empty_page", StopAt::empty_page}, {"short_page", StopAt::short_page}});
    paging.pages_max = TRY(read_at_least(given, "max_pages", 1));
    return paging;
}

std::optional<IncrementalSettings> read_incremental(const Options& options) {
    if (!options.has("incremental")) return std::nullopt;
    const Options& given = options.object("incremental");
    IncrementalSettings incremental;
    incremental.cursor = parse_json_path(given.text("cursor"));
    incremental.param = given.text("param");
    incremental.end_param = given.text("end_param");
    incremental.format = choose<CursorFormat>(given, "format",
                                              {{"as_found", CursorFormat::as_found},
                                               {"iso", CursorFormat::iso},
                                               {"date", CursorFormat::date},
                                               {"epoch_s", CursorFormat::epoch_s},
                                               {"epoch_ms", CursorFormat::epoch_ms}});
    incremental.start = given.text("start");
    incremental.lookback = given.duration("lookback");
    return incremental;
}

}  // namespace

Result<ConnectionSettings> read_connection(const Options& options, const std::string& name) {
    ConnectionSettings connection;
    connection.name = name;
    connection.base_url = options.text("base_url");
    const auto url = Url::parse(connection.base_url);
    if (!url.ok()) return options.error("base_url", url.error().message());
    if (url.value().scheme != "http" && url.value().scheme != "https")
        return options.error("base_url", "not an http or https URL: " + printable_url(connection.base_url));
    if (!url.value().query.empty() || !url.value().fragment.empty())
        return options.error("base_url", "base URL has a query: " + printable_url(connection.base_url) +
                                             "; put it into the params of the streams");
    connection.headers = options.text_map("headers");
    connection.auth = TRY(read_auth(options));
    connection.requests_per_second = TRY(read_rate(options));
    connection.burst = TRY(read_at_least(options, "burst", 1));
    connection.concurrency = TRY(read_at_least(options, "concurrency", 1));
    connection.connect_timeout = options.duration("connect_timeout");
    connection.idle_timeout = options.duration("idle_timeout");
    connection.response_bytes_max = options.bytes("response_max");
    connection.retry_on = TRY(read_statuses(options, "retry_on"));
    connection.give_up_on = TRY(read_statuses(options, "give_up_on"));
    connection.trusted_hosts = options.text_list("trusted_hosts");
    connection.archive = read_archive(options);
    return connection;
}

Result<StreamSettings> read_stream(const Options& options, const std::string& name) {
    StreamSettings stream;
    stream.name = name;
    stream.place = options.place();
    stream.path = options.has("path") ? options.text("path") : percent_encode(name);
    stream.method = options.text("method");
    if (stream.method != "GET" && stream.method != "POST" && stream.method != "PUT")
        return options.error("method", "a stream is read by GET, POST or PUT, not by " + stream.method);
    stream.params = options.text_map("params");
    stream.headers = options.text_map("headers");
    const Node& body = options.node("body");
    if (!body.is_null()) stream.body = body.is_scalar() ? body.text() : body.to_json();
    stream.format = choose<BodyFormat>(options, "format", {{"json", BodyFormat::json}, {"ndjson", BodyFormat::ndjson}});
    stream.records = parse_json_path(options.text("records"));
    stream.records_missing = choose<MissingRecords>(
        options, "records_missing", {{"error", MissingRecords::error}, {"empty", MissingRecords::empty}});
    stream.empty_on = TRY(read_statuses(options, "empty_on"));
    stream.paging = TRY(read_paging(options));
    stream.incremental = read_incremental(options);
    stream.resume =
        choose<Resume>(options, "resume", {{"none", Resume::none}, {"page", Resume::page}, {"cursor", Resume::cursor}});
    stream.parent = options.text("parent");
    for (const auto& [field, path] : options.text_map("include"))
        stream.include.emplace_back(field, parse_json_path(path));
    return stream;
}

}  // namespace shaduf::rest
