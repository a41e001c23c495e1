#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "data/json_page.h"
#include "io/http.h"
#include "io/object_store.h"
#include "io/url.h"

// The options of the rest connector as plain values; rest.cc makes them from what the user wrote.
namespace shaduf::rest {

enum class AuthKind : uint8_t { none, basic, bearer, api_key, oauth2 };
enum class KeyPlace : uint8_t { header, query };
enum class ClientAuth : uint8_t { body, basic };  // how an OAuth client names itself

struct AuthSettings {
    AuthKind kind = AuthKind::none;
    std::string username;
    std::string password;
    std::string token;              // bearer, or the api key
    std::string name;               // of the header or parameter
    std::string prefix = "Bearer";  // before the token in Authorization
    KeyPlace place = KeyPlace::header;
    std::string token_url;  // from here on: oauth2
    std::string client_id;
    std::string client_secret;
    std::string refresh_token;  // "": client credentials
    std::string scope;
    QueryParams token_params;
    ClientAuth client_auth = ClientAuth::body;
};

struct ArchiveSettings {
    std::optional<ObjectStoreSettings> store;  // nullopt: answers are not kept
    std::chrono::milliseconds retention{0};    // 0: for ever
};

struct ConnectionSettings {
    std::string name;  // of the connection
    std::string base_url;
    HttpHeaders headers;
    AuthSettings auth;
    double requests_per_second = 0;  // 0: no limit
    int64_t burst = 1;
    int64_t concurrency = 4;
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds idle_timeout{60'000};
    uint64_t response_bytes_max = 256ULL << 20;
    std::vector<int> retry_on;               // statuses to be retried besides the usual
    std::vector<int> give_up_on;             // statuses never to be retried
    std::vector<std::string> trusted_hosts;  // "host" or "host:port" that next URLs may lead to, with the credentials
    ArchiveSettings archive;
};

enum class PagingKind : uint8_t { none, page, offset, cursor, header_cursor, link_header, next_url };
enum class ParamPlace : uint8_t { query, body };
enum class StopAt : uint8_t { empty_page, short_page };

struct PagingSettings {
    PagingKind kind = PagingKind::none;
    std::string param;  // that the page, offset or cursor is sent in
    ParamPlace place = ParamPlace::query;
    std::string size_param;  // "": the size is not sent
    int64_t size = 0;        // records a page; 0: not known
    int64_t start = 0;       // the first page or offset
    JsonPath cursor_path;    // cursor: in the answer; next_url: where the URL stands
    JsonPath record_path;    // cursor: in the last record instead
    std::string header;      // header_cursor
    JsonPath total_path;     // number of records of all pages
    JsonPath pages_path;     // number of pages
    JsonPath more_path;      // a flag that there are more
    StopAt stop = StopAt::empty_page;
    int64_t pages_max = 100'000;
};

// How the cursor's value is sent.
enum class CursorFormat : uint8_t { as_found, iso, date, epoch_s, epoch_ms };

struct IncrementalSettings {
    JsonPath cursor;  // in a record
    std::string param;
    std::string end_param;
    CursorFormat format = CursorFormat::as_found;
    std::string start;  // "": the parameter is left out on a first run
    std::chrono::milliseconds lookback{0};
};

// What makes a position within a load safe to resume from.
enum class Resume : uint8_t {
    none,    // nothing: a load that was interrupted begins anew
    page,    // a page holds the same records when it is asked for again
    cursor,  // records come in the rising order of the incremental cursor
};

enum class BodyFormat : uint8_t { json, ndjson };
enum class MissingRecords : uint8_t { error, empty };

struct StreamSettings {
    std::string name;
    Place place;  // in the configuration
    std::string path;
    std::string method = "GET";
    std::vector<std::pair<std::string, std::string>> params;
    HttpHeaders headers;
    std::string body;  // JSON
    BodyFormat format = BodyFormat::json;
    JsonPath records;
    MissingRecords records_missing = MissingRecords::error;
    std::vector<int> empty_on;  // statuses that mean "no records"
    PagingSettings paging;
    std::optional<IncrementalSettings> incremental;
    Resume resume = Resume::none;
    std::string parent;                                     // the name of another stream
    std::vector<std::pair<std::string, JsonPath>> include;  // field of the row: where it stands in the parent's record
};

}  // namespace shaduf::rest
