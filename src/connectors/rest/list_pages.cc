#include "base/text.h"
#include "connectors/rest/pages.h"
#include "connectors/rest/template.h"
#include "io/url.h"

namespace shaduf::rest {
namespace {

BufferPtr copy_padded(const std::string& text) {
    BufferBuilder bytes;
    bytes.append(text);
    return bytes.finish();
}

bool is_blank(std::string_view text) { return trim(text).empty(); }

std::string describe(const HttpRequest& request) {
    return request.method + " " + printable_url(request.url, request.secret_params);
}

}  // namespace

ListPages::ListPages(const StreamSettings& stream, Client& client, ExtraParams params, const std::string& parent_row)
    : stream_(stream),
      client_(client),
      params_(std::move(params)),
      parent_row_(copy_padded(parent_row)),
      paging_(stream.paging, client) {}

Result<HttpRequest> ListPages::first_request() const {
    const auto value = [&](const std::string& name) -> Result<JsonScalar> {
        if (auto scalar = find_scalar(parent_row_->view(), parse_json_path(name))) return std::move(*scalar);
        return Error(ErrorKind::bad_data, "parent record has no value for {" + name +
                                              "}: " + make_valid_utf8(parent_row_->view().substr(0, 200)));
    };
    HttpRequest request;
    request.method = stream_.method;
    request.url = TRY(client_.resolve(TRY(fill_placeholders(stream_.path, PlaceholderForm::url_part, value))));
    for (const auto& [name, text] : stream_.params) {
        const std::string filled = TRY(fill_placeholders(text, PlaceholderForm::text, value));
        request.url = with_query_param(request.url, name, filled);
    }
    for (const auto& [name, text] : params_) request.url = with_query_param(request.url, name, text);
    request.headers = stream_.headers;
    request.body = TRY(fill_placeholders(stream_.body, PlaceholderForm::json, value));
    if (!request.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
    request.headers.emplace_back("Accept", "application/json");
    return request;
}

Result<std::optional<Page>> ListPages::next(RunContext& run) {
    if (paging_.done()) return std::nullopt;
    HttpRequest request = TRY(first_request());
    TRY(paging_.apply(request));
    const HttpResponse response = TRY(client_.send(run, request, stream_.empty_on));
    Page page{response.body, {}, describe(request)};
    std::optional<JsonPage> json;
    if (response.status < 300) TRY(read_records(response, page, json));
    TRY(paging_.advance({request.url, response, json ? &*json : nullptr, page.text, page.rows}));
    return page;
}

Result<void> ListPages::read_records(const HttpResponse& response, Page& page, std::optional<JsonPage>& json) const {
    if (is_blank(response.text())) return {};
    if (stream_.format == BodyFormat::ndjson) {
        page.rows = TRY(split_lines(*response.body, page.place));
        return {};
    }
    auto parsed = JsonPage::parse(response.body, page.place);
    if (!parsed.ok()) {
        const std::string type(response.header("Content-Type"));
        const bool is_json = type.empty() || type.find("json") != std::string::npos;
        const Error& error = parsed.error();
        if (is_json || error.may_retry()) return error;
        return Error(error.kind(), error.message() + "; the server calls it " + type);
    }
    json = parsed.release_value();
    if (stream_.records_missing == MissingRecords::empty && !json->has(stream_.records)) return {};
    page.rows = TRY(json->records(stream_.records));
    return {};
}

}  // namespace shaduf::rest
