#pragma once

#include <optional>
#include <string>
#include <unordered_set>

#include "base/result.h"
#include "connectors/rest/client.h"
#include "connectors/rest/settings.h"
#include "data/json_page.h"
#include "io/http.h"

namespace shaduf::rest {

// One page as the paging sees it.
struct PageSeen {
    const std::string& url;  // as it was asked for, without credentials
    const HttpResponse& response;
    const JsonPage* page = nullptr;  // nullptr: not a JSON document (an empty body, lines)
    const BufferPtr& text;
    std::span<const RawRows::Span> records;
};

// Walks through the pages of one list. Every style ends: a cursor, URL or page that comes again, and more than
// `pages_max`, are errors of kind bad_data. It moves on only by `advance`, so a page that failed is asked for again.
// Not thread-safe.
class Paging {
public:
    // `settings` and `client` outlive it.
    Paging(const PagingSettings& settings, const Client& client);

    // Makes `request`, of the list's first page, one for the page that is next.
    Result<void> apply(HttpRequest& request) const;
    // What to ask for after `seen`. Errors leave it as it was.
    Result<void> advance(const PageSeen& seen);
    bool done() const { return done_; }

    // The page that is next, to begin there in another run. "" for the first.
    std::string token() const { return pages_ == 0 ? std::string() : position_; }
    void resume(std::string token);

private:
    Result<std::optional<std::string>> next_position(const PageSeen& seen) const;
    Result<std::optional<std::string>> next_number(const PageSeen& seen) const;
    std::optional<std::string> next_cursor(const PageSeen& seen) const;
    bool is_last(const PageSeen& seen) const;
    Result<void> check_repeated(const PageSeen& seen, uint64_t page_hash, const std::string& next) const;

    const PagingSettings& settings_;
    const Client& client_;
    std::string position_;  // a number, a cursor or a URL
    int64_t pages_ = 0;     // read so far
    uint64_t last_page_ = 0;
    std::unordered_set<uint64_t> seen_;
    bool done_ = false;
};

// The target of rel="next" in a Link header (RFC 8288); nullopt when there is none.
std::optional<std::string> next_link(std::string_view link_header);

}  // namespace shaduf::rest
