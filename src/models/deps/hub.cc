#include "models/deps/hub.h"

#include <algorithm>

#include "base/retry.h"
#include "base/text.h"
#include "io/http.h"
#include "io/url.h"
#include "models/yaml/json_tree.h"

namespace shaduf::models {
namespace {

constexpr int kRedirectsMax = 10;
constexpr RetryPolicy kRetries{.tries_max = 6};

// Nothing secret goes along, so another host may be followed, unlike in the transport.
Result<HttpResponse> get_once(RunContext& run, std::string url) {
    for (int redirects = 0; redirects <= kRedirectsMax; ++redirects) {
        HttpRequest request;
        request.url = url;
        request.headers = {{"User-Agent", "shaduf"}};
        request.follow_redirects = false;
        auto response = TRY(run.http.send(run, request));
        const bool redirected = response.status >= 301 && response.status <= 308 && response.status != 304;
        if (!redirected) {
            if (response.status >= 400) return http_error(run, request, response);
            return response;
        }
        const Url base = TRY(Url::parse(url));
        const Url next = TRY(resolve_reference(base, response.header("Location")));
        if (base.scheme == "https" && next.scheme != "https") {
            return Error(ErrorKind::invalid_config,
                         "redirected to a URL without TLS: " + printable_url(next.to_string()));
        }
        url = next.to_string();
    }
    return Error(ErrorKind::invalid_config, "too many redirects from " + printable_url(url));
}

std::vector<std::string> texts_of(const YamlNode& node) {
    std::vector<std::string> texts;
    if (node.is_text() && !node.text().empty()) texts.emplace_back(node.text());
    for (const YamlNode& item : node.items()) texts.emplace_back(item.text());
    return texts;
}

std::vector<HubVersion> read_versions(const YamlNode& versions, const std::string& file) {
    std::vector<HubVersion> all;
    for (const YamlEntry& entry : versions.entries()) {
        HubVersion version;
        version.version = entry.key.text();
        version.project_name = entry.value["name"].text();
        version.tarball_url = entry.value["downloads"]["tarball"].text();
        version.require_dbt_version = texts_of(entry.value["require_dbt_version"]);
        // An old version may ask for what nobody can read any more; that is told when it is chosen.
        Findings findings;
        version.packages = read_package_entries(entry.value, entry.value, file, findings);
        all.push_back(std::move(version));
    }
    return all;
}

}  // namespace

Result<std::string> download(RunContext& run, const std::string& url) {
    const auto response = TRY(with_retries(run, kRetries, [&] { return get_once(run, url); }));
    return std::string(response.text());
}

Result<YamlTree> Hub::get(RunContext& run, const std::string& path) {
    const std::string base = url_.ends_with('/') ? url_ : url_ + "/";
    auto tree = parse_json(TRY(download(run, base + path)));
    if (tree.ok()) return tree;
    return Error(ErrorKind::unavailable, "the hub at " + printable_url(url_) + " does not answer with JSON; try again")
        .caused_by(tree.error());
}

Error Hub::unknown(RunContext& run, const std::string& package) {
    std::vector<std::string> names;
    const auto index = get(run, "api/v1/index.json");
    if (index.ok()) names = texts_of(index.value().root());
    const auto near = nearest(package, names);
    return Error(ErrorKind::invalid_config,
                 "package not in the hub's index: " + package +
                     (near ? "; did you mean " + *near + "?" : "; look it up at " + printable_url(url_)));
}

Result<const std::vector<HubVersion>*> Hub::versions(RunContext& run, const std::string& package) {
    if (const auto known = known_.find(package); known != known_.end()) return &known->second;
    const std::string path = "api/v1/" + percent_encode(package, "/") + ".json";
    const auto tree = get(run, path);
    if (!tree.ok()) {
        // 404 is the one error of the user's here; a refusal to answer is not.
        if (tree.error().kind() == ErrorKind::invalid_config) return unknown(run, package);
        return tree.error();
    }
    const YamlNode& versions = tree.value().root()["versions"];
    if (!versions.is_map()) {
        return Error(ErrorKind::unavailable, "the hub's answer for " + package + " has no versions; try again");
    }
    return &known_.emplace(package, read_versions(versions, path)).first->second;
}

}  // namespace shaduf::models
