// The transport over libcurl. Each request borrows a slot, a multi handle with one easy handle in it: the multi handle
// owns the kept connections and, unlike curl_easy_perform, can be woken by another thread, so that a canceled run ends
// at once. Slots are kept by origin, newest first, so that a host's connections are found again.
#include "io/http.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <new>
#include <optional>

#include "base/cancellation.h"
#include "base/text.h"
#include "io/url.h"

namespace shaduf {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

constexpr size_t kIdleSlotsMax = 32;
constexpr int kRedirectsMax = 10;
constexpr auto kPollMax = std::chrono::milliseconds(500);
constexpr std::string_view kUnsent = "no connection: ";

void init_curl_once() {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

// The transfer handles of one request at a time.
struct Slot {
    Slot() : multi(curl_multi_init()), easy(curl_easy_init()) {
        if (multi == nullptr || easy == nullptr) throw std::bad_alloc();
    }
    ~Slot() {
        curl_easy_cleanup(easy);
        curl_multi_cleanup(multi);
    }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;

    CURLM* multi;
    CURL* easy;
    std::string origin;
};

struct HeaderList {
    ~HeaderList() { curl_slist_free_all(first); }
    void add(const std::string& line) { first = curl_slist_append(first, line.c_str()); }
    curl_slist* first = nullptr;
};

enum class BodyFault : uint8_t { none, too_large, no_memory };

// What libcurl's callbacks fill.
struct Transfer {
    const HttpRequest& request;
    CURL* easy;
    BufferBuilder body;
    HttpHeaders headers;
    BodyFault fault = BodyFault::none;
    SteadyTime active_at = std::chrono::steady_clock::now();
    curl_off_t bytes_sent = 0;
    const HttpBodySink* on_bytes = nullptr;
    std::optional<Error> refused;  // what on_bytes said
};

bool is_success(CURL* easy) {
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return status >= 200 && status < 300;
}

size_t on_body(char* data, size_t, size_t count, void* user) {
    auto& transfer = *static_cast<Transfer*>(user);
    transfer.active_at = std::chrono::steady_clock::now();
    if (transfer.on_bytes != nullptr && is_success(transfer.easy)) {
        auto taken = (*transfer.on_bytes)(std::string_view(data, count));
        transfer.active_at = std::chrono::steady_clock::now();  // a slow taker is no slow server
        if (taken.ok()) return count;
        transfer.refused = taken.release_error();
        return 0;
    }
    if (transfer.body.size() + count > transfer.request.response_bytes_max) {
        transfer.fault = BodyFault::too_large;
        return 0;
    }
    try {
        if (transfer.body.size() == 0) {
            curl_off_t announced = -1;
            curl_easy_getinfo(transfer.easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
            if (announced > 0)
                transfer.body.reserve(std::min<uint64_t>(announced, transfer.request.response_bytes_max));
        }
        transfer.body.append(data, count);
    } catch (const std::bad_alloc&) {
        transfer.fault = BodyFault::no_memory;
        return 0;
    }
    return count;
}

size_t on_header(char* data, size_t, size_t count, void* user) {
    auto& transfer = *static_cast<Transfer*>(user);
    transfer.active_at = std::chrono::steady_clock::now();
    const std::string_view line(data, count);
    if (line.starts_with("HTTP/")) {
        transfer.headers.clear();  // an interim answer came before
    } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
        transfer.headers.emplace_back(trim(line.substr(0, colon)), trim(line.substr(colon + 1)));
    }
    return count;
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t bytes_sent) {
    auto& transfer = *static_cast<Transfer*>(user);
    if (bytes_sent != transfer.bytes_sent) transfer.active_at = std::chrono::steady_clock::now();
    transfer.bytes_sent = bytes_sent;
    return 0;
}

bool has_header(const HttpRequest& request, std::string_view name) {
    return std::any_of(request.headers.begin(), request.headers.end(),
                       [&](const auto& header) { return equals_ignoring_case(header.first, name); });
}

HeaderList make_header_list(const HttpRequest& request) {
    HeaderList list;
    for (const auto& [name, value] : request.headers) {
        list.add(value.empty() ? name + ";" : name + ": " + value);  // "name;" is libcurl's empty header
    }
    list.add("Expect:");  // no "100-continue" round
    if (!has_header(request, "Content-Type")) list.add("Content-Type:");
    if (!has_header(request, "User-Agent")) list.add("User-Agent: shaduf");
    return list;
}

void set_method(CURL* easy, const HttpRequest& request) {
    const bool has_body =
        !request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
    if (has_body) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    } else if (request.method == "HEAD") {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

std::string hosts_without_proxy() {
    std::string hosts = "localhost,127.0.0.1,::1";
    for (const char* name : {"no_proxy", "NO_PROXY"}) {
        if (const char* more = std::getenv(name)) return std::string(more) + "," + hosts;
    }
    return hosts;
}

void set_options(const HttpRequest& request, const HeaderList& headers, Transfer& transfer) {
    CURL* easy = transfer.easy;
    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);  // a signed path must arrive as it was signed
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 256L << 10);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, hosts_without_proxy().c_str());
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
    if (!has_header(request, "Accept-Encoding")) curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    set_method(easy, request);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.first);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
}

std::string describe(const HttpRequest& request) {
    return request.method + " " + printable_url(request.url, request.secret_params);
}

Error curl_failure(const Transfer& transfer, CURLcode code) {
    const std::string what = describe(transfer.request);
    if (transfer.fault == BodyFault::too_large)
        return Error(ErrorKind::bad_data, "response is larger than " +
                                              format_bytes(transfer.request.response_bytes_max) + ": " + what +
                                              "; ask for smaller pages");
    if (transfer.fault == BodyFault::no_memory)
        return Error(ErrorKind::exhausted, "no memory for the response of " + what + "; ask for smaller pages");
    const std::string why = what + ": " + curl_easy_strerror(code);
    long os_error = 0;
    curl_easy_getinfo(transfer.easy, CURLINFO_OS_ERRNO, &os_error);
    switch (code) {
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL:
            return Error(ErrorKind::invalid_config, "URL cannot be requested: " + why + "; give an http or https URL");
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CIPHER:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_USE_SSL_FAILED:
            return Error(ErrorKind::unavailable, "TLS failed: " + why + "; check the server's certificate").permanent();
        case CURLE_SSL_CONNECT_ERROR: {
            const Error error(ErrorKind::unavailable, "TLS handshake failed: " + why);
            return os_error != 0 ? error : error.permanent();  // a reset below TLS may pass, a disagreement does not
        }
        case CURLE_PARTIAL_FILE:
        case CURLE_BAD_CONTENT_ENCODING:
            return Error(ErrorKind::unavailable,
                         "response cut short after " + std::to_string(transfer.body.size()) + " bytes: " + why);
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_CONNECT: return Error(ErrorKind::unavailable, std::string(kUnsent) + why);
        case CURLE_OUT_OF_MEMORY: return Error(ErrorKind::exhausted, "no memory for a request: " + why);
        default: return Error(ErrorKind::unavailable, "request failed: " + why);
    }
}

// Waits for bytes until the transfer is done. An error ends it early: canceled, or silent for too long.
Result<CURLcode> drive(const RunContext& run, const Slot& slot, const Transfer& transfer) {
    const Cancellation::Waker waker(run.cancellation, [&] { curl_multi_wakeup(slot.multi); });
    for (int running = 1;;) {
        if (curl_multi_perform(slot.multi, &running) != CURLM_OK)
            return Error(ErrorKind::internal, "curl_multi_perform failed for " + describe(transfer.request));
        if (running == 0) break;
        TRY(run.cancellation.check());
        const auto silent = std::chrono::steady_clock::now() - transfer.active_at;
        if (silent >= transfer.request.idle_timeout)
            return Error(ErrorKind::unavailable, "no byte arrived for " +
                                                     std::to_string(transfer.request.idle_timeout.count()) +
                                                     " ms: " + describe(transfer.request));
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(transfer.request.idle_timeout - silent);
        curl_multi_poll(slot.multi, nullptr, 0, static_cast<int>(std::min(left, kPollMax).count()), nullptr);
    }
    int queued = 0;
    const CURLMsg* message = curl_multi_info_read(slot.multi, &queued);
    if (message == nullptr || message->msg != CURLMSG_DONE)
        return Error(ErrorKind::internal, "libcurl lost a transfer: " + describe(transfer.request));
    return message->data.result;
}

class CurlTransport final : public HttpTransport {
public:
    Result<HttpResponse> send(RunContext& run, const HttpRequest& request) override {
        return stream(run, request, nullptr);
    }

    Result<HttpResponse> stream(RunContext& run, const HttpRequest& request, const HttpBodySink& on_bytes) override {
        init_curl_once();
        auto url = TRY(Url::parse(request.url));
        HttpRequest hop = request;
        for (int redirects = 0;; ++redirects) {
            TRY(run.cancellation.check());
            auto response = TRY(exchange(run, hop, url.origin(), on_bytes));
            const bool moved = response.status >= 301 && response.status <= 308 && response.status != 304;
            const std::string location(response.header("Location"));
            if (!moved || location.empty() || !request.follow_redirects) return response;
            const auto next = TRY(resolve_reference(url, location));
            if (!is_same_site(url, next))
                return Error(ErrorKind::invalid_config, "redirected to another host: " + describe(request) +
                                                            " leads to " + printable_url(next.to_string()) +
                                                            "; name that host in the connection if you trust it");
            if (redirects >= kRedirectsMax)
                return Error(ErrorKind::bad_data,
                             "redirected more than " + std::to_string(kRedirectsMax) + " times: " + describe(request));
            follow(response.status, next, hop);
            url = next;
        }
    }

private:
    // RFC 9110, 15.4: 303 always, and by custom 301 and 302 for a POST, go on with GET.
    static void follow(int status, const Url& next, HttpRequest& hop) {
        Url target = next;
        target.fragment.clear();
        hop.url = target.to_string();
        const bool becomes_get =
            (status == 303 && hop.method != "HEAD") || ((status == 301 || status == 302) && hop.method == "POST");
        if (!becomes_get) return;
        hop.method = "GET";
        hop.body.clear();
        std::erase_if(hop.headers,
                      [](const auto& header) { return equals_ignoring_case(header.first, "Content-Type"); });
    }

    Result<HttpResponse> exchange(RunContext& run, const HttpRequest& request, const std::string& origin,
                                  const HttpBodySink& on_bytes) {
        auto slot = take_slot(origin);
        Transfer transfer{.request = request, .easy = slot->easy, .on_bytes = on_bytes ? &on_bytes : nullptr};
        const HeaderList headers = make_header_list(request);
        set_options(request, headers, transfer);
        curl_multi_add_handle(slot->multi, slot->easy);
        auto outcome = drive(run, *slot, transfer);
        curl_multi_remove_handle(slot->multi, slot->easy);
        if (!outcome.ok()) return outcome.release_error();  // the slot goes away, and its connection with it
        if (transfer.refused) return *transfer.refused;
        if (outcome.value() != CURLE_OK) return curl_failure(transfer, outcome.value());

        long status = 0;
        curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status);
        give_slot(std::move(slot));
        HttpResponse response;
        response.status = static_cast<int>(status);
        response.headers = std::move(transfer.headers);
        response.body = transfer.body.finish();
        return response;
    }

    std::unique_ptr<Slot> take_slot(const std::string& origin) {
        {
            std::lock_guard lock(mutex_);
            const auto found =
                std::find_if(idle_.rbegin(), idle_.rend(), [&](const auto& slot) { return slot->origin == origin; });
            if (found != idle_.rend()) {
                auto slot = std::move(*found);
                idle_.erase(std::next(found).base());
                return slot;
            }
        }
        auto slot = std::make_unique<Slot>();
        slot->origin = origin;
        return slot;
    }

    void give_slot(std::unique_ptr<Slot> slot) {
        std::unique_ptr<Slot> oldest;  // destroyed outside the lock
        std::lock_guard lock(mutex_);
        idle_.push_back(std::move(slot));
        if (idle_.size() <= kIdleSlotsMax) return;
        oldest = std::move(idle_.front());
        idle_.erase(idle_.begin());
    }

    std::mutex mutex_;
    std::vector<std::unique_ptr<Slot>> idle_;
};

}  // namespace

std::shared_ptr<void> HttpTransport::shared_state(const std::string& key,
                                                  const std::function<std::shared_ptr<void>()>& make) {
    const std::lock_guard lock(shared_mutex_);
    if (auto found = shared_[key].lock()) return found;
    std::erase_if(shared_, [](const auto& entry) { return entry.second.expired(); });
    auto made = make();
    shared_[key] = made;
    return made;
}

Result<HttpResponse> HttpTransport::stream(RunContext& run, const HttpRequest& request, const HttpBodySink& on_bytes) {
    HttpResponse response = TRY(send(run, request));
    if (response.status < 200 || response.status >= 300) return response;
    TRY(on_bytes(response.text()));
    response.body = BufferBuilder().finish();
    return response;
}

bool is_unsent(const Error& error) { return error.message().starts_with(kUnsent); }

std::unique_ptr<HttpTransport> make_curl_transport() { return std::make_unique<CurlTransport>(); }

}  // namespace shaduf
