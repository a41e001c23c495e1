#include "connectors/rest/paging.h"

#include <charconv>
#include <cstdlib>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "io/url.h"

namespace shaduf::rest {
namespace {

uint64_t hash_text(std::string_view text) { return std::hash<std::string_view>{}(text); }

// Of the records alone: an envelope may carry a time or an id of the request.
uint64_t hash_records(const PageSeen& seen) {
    uint64_t hash = 14695981039346656037ULL;
    for (const auto& span : seen.records) {
        hash ^= hash_text(seen.text->view().substr(span.offset, span.length));
        hash *= 1099511628211ULL;
    }
    return hash;
}

std::optional<int64_t> as_integer(const std::optional<JsonScalar>& scalar) {
    if (!scalar) return std::nullopt;
    int64_t value = 0;
    const std::string& text = scalar->text;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// Sets one field of a JSON object body: "page" or "paging.page".
Result<std::string> with_body_field(const std::string& body, const std::string& name, const std::string& value,
                                    bool is_number) {
    auto json = nlohmann::json::parse(body.empty() ? "{}" : body, nullptr, false);
    if (json.is_discarded() || !json.is_object())
        return Error(ErrorKind::invalid_config, "body is no JSON object; the page cannot be set in it: " + name);
    nlohmann::json* at = &json;
    for (const auto& part : parse_json_path(name)) {
        if (!at->is_object() && !at->is_null())
            return Error(ErrorKind::invalid_config, "body has no object to set the page in: " + name);
        at = &(*at)[part];
    }
    if (is_number)
        *at = std::strtoll(value.c_str(), nullptr, 10);
    else
        *at = value;
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string shorten(const std::string& text) { return text.size() > 100 ? text.substr(0, 100) + "..." : text; }

}  // namespace

std::optional<std::string> next_link(std::string_view header) {
    while (true) {
        const auto open = header.find('<');
        const auto close = open == std::string_view::npos ? open : header.find('>', open);
        if (close == std::string_view::npos) return std::nullopt;
        const std::string target(header.substr(open + 1, close - open - 1));
        header.remove_prefix(close + 1);
        size_t end = 0;
        for (bool quoted = false; end < header.size() && (quoted || header[end] != ','); ++end) {
            if (header[end] == '"') quoted = !quoted;
        }
        for (const auto part : split(header.substr(0, end), ';')) {
            const auto equals = part.find('=');
            if (equals == std::string_view::npos || !equals_ignoring_case(trim(part.substr(0, equals)), "rel"))
                continue;
            std::string_view relations = trim(part.substr(equals + 1));
            if (relations.size() >= 2 && relations.front() == '"')
                relations = relations.substr(1, relations.size() - 2);
            for (const auto relation : split(relations, ' ')) {
                if (equals_ignoring_case(relation, "next")) return target;
            }
        }
        header.remove_prefix(end);
    }
}

Paging::Paging(const PagingSettings& settings, const Client& client) : settings_(settings), client_(client) {
    if (settings_.kind == PagingKind::page || settings_.kind == PagingKind::offset)
        position_ = std::to_string(settings_.start);
}

void Paging::resume(std::string token) {
    if (token.empty()) return;
    position_ = std::move(token);
    pages_ = 1;
    seen_.insert(hash_text(position_));
}

Result<void> Paging::apply(HttpRequest& request) const {
    const bool in_body = settings_.place == ParamPlace::body;
    const auto set = [&](const std::string& name, const std::string& value, bool is_number) -> Result<void> {
        if (in_body)
            request.body = TRY(with_body_field(request.body, name, value, is_number));
        else
            request.url = with_query_param(request.url, name, value);
        return {};
    };
    const bool by_url = settings_.kind == PagingKind::next_url || settings_.kind == PagingKind::link_header;
    if (by_url && pages_ > 0) {
        request.url = TRY(client_.resolve_next(request.url, position_));  // a checkpoint may be of another base URL
        return {};
    }
    if (settings_.size > 0 && !settings_.size_param.empty())
        TRY(set(settings_.size_param, std::to_string(settings_.size), true));
    const bool by_number = settings_.kind == PagingKind::page || settings_.kind == PagingKind::offset;
    if (by_number || (!by_url && !position_.empty())) TRY(set(settings_.param, position_, by_number));
    return {};
}

bool Paging::is_last(const PageSeen& seen) const {
    if (settings_.kind == PagingKind::none) return true;
    if (seen.page != nullptr && !settings_.more_path.empty()) {
        const auto more = seen.page->scalar(settings_.more_path);
        if (!more || more->text == "false" || more->text == "0") return true;
    }
    const auto count = static_cast<int64_t>(seen.records.size());
    return settings_.stop == StopAt::short_page && settings_.size > 0 && count < settings_.size;
}

Result<std::optional<std::string>> Paging::next_number(const PageSeen& seen) const {
    const auto count = static_cast<int64_t>(seen.records.size());
    if (count == 0) return std::nullopt;
    int64_t at = 0;
    std::from_chars(position_.data(), position_.data() + position_.size(), at);
    const bool is_page = settings_.kind == PagingKind::page;
    const int64_t next = is_page ? at + 1 : at + count;
    const auto total = seen.page == nullptr ? std::nullopt : as_integer(seen.page->scalar(settings_.total_path));
    const auto pages = seen.page == nullptr ? std::nullopt : as_integer(seen.page->scalar(settings_.pages_path));
    if (is_page && !settings_.pages_path.empty() && pages && next - settings_.start >= *pages) return std::nullopt;
    if (!settings_.total_path.empty() && total) {
        const int64_t read = is_page ? (next - settings_.start) * settings_.size : next;
        if (read >= *total && (!is_page || settings_.size > 0)) return std::nullopt;
    }
    return std::to_string(next);
}

std::optional<std::string> Paging::next_cursor(const PageSeen& seen) const {
    std::optional<JsonScalar> cursor;
    if (settings_.kind == PagingKind::header_cursor) {
        const std::string value(seen.response.header(settings_.header));
        return value.empty() ? std::nullopt : std::optional(value);
    }
    if (!settings_.record_path.empty()) {
        if (seen.records.empty()) return std::nullopt;
        const auto& last = seen.records.back();
        cursor = find_scalar(seen.text->view().substr(last.offset, last.length), settings_.record_path);
    } else if (seen.page != nullptr) {
        cursor = seen.page->scalar(settings_.cursor_path);
    }
    if (!cursor || cursor->text.empty() || cursor->raw == "false") return std::nullopt;
    return cursor->text;
}

Result<std::optional<std::string>> Paging::next_position(const PageSeen& seen) const {
    if (is_last(seen)) return std::nullopt;
    switch (settings_.kind) {
        case PagingKind::none: return std::nullopt;
        case PagingKind::page:
        case PagingKind::offset: return next_number(seen);
        case PagingKind::cursor:
        case PagingKind::header_cursor: return next_cursor(seen);
        case PagingKind::next_url:
        case PagingKind::link_header: break;
    }
    const auto reference =
        settings_.kind == PagingKind::next_url ? next_cursor(seen) : next_link(seen.response.header("Link"));
    if (!reference) return std::nullopt;
    return std::optional(TRY(client_.resolve_next(seen.url, *reference)));
}

Result<void> Paging::check_repeated(const PageSeen& seen, uint64_t page_hash, const std::string& next) const {
    const std::string page = " after " + std::to_string(pages_ + 1) + " pages, at " + printable_url(seen.url);
    if (pages_ + 1 >= settings_.pages_max)
        return Error(ErrorKind::bad_data,
                     "more pages than max_pages:" + page + "; check that paging moves on, or raise max_pages");
    const bool by_url = settings_.kind == PagingKind::next_url || settings_.kind == PagingKind::link_header;
    if (seen_.contains(hash_text(next)) || (by_url && next == seen.url))
        return Error(ErrorKind::bad_data, std::string(by_url ? "next URL" : "cursor") + " comes again:" + page + ": " +
                                              (by_url ? printable_url(next) : shorten(next)) +
                                              "; the API would be read for ever");
    // A single record may well be like one before it; two or more are not.
    const bool repeated = page_hash == last_page_ || (seen.records.size() > 1 && seen_.contains(page_hash));
    if (!seen.records.empty() && repeated)
        return Error(ErrorKind::bad_data, "page repeats an earlier one:" + page +
                                              "; the API may not know the parameter \"" + settings_.param +
                                              "\", or needs total_path or pages_path to tell the end");
    return {};
}

Result<void> Paging::advance(const PageSeen& seen) {
    auto next = TRY(next_position(seen));
    const uint64_t page_hash = hash_records(seen);
    if (next) {
        TRY(check_repeated(seen, page_hash, *next));
        seen_.insert(hash_text(*next));
        if (!seen.records.empty()) {
            seen_.insert(page_hash);
            last_page_ = page_hash;
        }
        position_ = std::move(*next);
    }
    done_ = !next;
    ++pages_;
    return {};
}

}  // namespace shaduf::rest
