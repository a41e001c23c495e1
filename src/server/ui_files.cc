#include "server/ui_files.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/text.h"

namespace shaduf::server {
namespace {

constexpr std::string_view kForEver = "public, max-age=31536000, immutable";
constexpr std::string_view kNoUi = R"(<!doctype html><meta charset="utf-8"><title>shaduf</title>
<body style="font: 16px/1.5 system-ui; max-width: 40rem; margin: 4rem auto; padding: 0 1rem">
<h1>The web UI is not in this program</h1>
<p>It was built without it. The API is there: <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</p>
<p>To have the UI, run <code>scripts/ui</code> in the source tree, then build again; or start
<code>shaduf serve --ui-dir FOLDER</code> with the folder that it was built into.</p>
)";

std::string_view type_of(std::string_view path) {
    static constexpr auto kTypes = std::to_array<std::pair<std::string_view, std::string_view>>({
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", "application/json"},
        {".map", "application/json"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
        {".txt", "text/plain; charset=utf-8"},
        {".webmanifest", "application/manifest+json"},
    });
    for (const auto& [ending, type] : kTypes) {
        if (path.ends_with(ending)) return type;
    }
    return "application/octet-stream";
}

// Whether the client takes the coding; one that is given with q=0 is not.
bool accepts(std::string_view header, std::string_view coding) {
    for (const std::string_view part : split(header, ',')) {
        const size_t mark = part.find(';');
        if (trim(part.substr(0, mark)) != coding) continue;
        const std::string_view weight = mark == std::string_view::npos ? "" : trim(part.substr(mark + 1));
        return weight.empty() || weight.find_first_of("123456789") != std::string_view::npos;
    }
    return false;
}

// Words between single slashes, none of which leads elsewhere.
bool is_plain(std::string_view path) {
    if (path.empty() || path.find('\0') != std::string_view::npos || path.find('\\') != std::string_view::npos) {
        return false;
    }
    const auto words = split(path, '/');
    return std::none_of(words.begin(), words.end(),
                        [](std::string_view word) { return word.empty() || word[0] == '.'; });
}

}  // namespace

std::optional<std::string> UiFiles::read(const std::string& path) const {
    if (!is_plain(path)) return std::nullopt;
    if (folder_.empty()) {
        for (const EmbeddedFile& file : embedded_ui()) {
            if (file.path == path) return std::string(file.content);
        }
        return std::nullopt;
    }
    std::error_code ignored;
    const auto on_disk = std::filesystem::path(folder_) / path;
    if (!std::filesystem::is_regular_file(on_disk, ignored)) return std::nullopt;
    std::ifstream file(on_disk, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

HttpServerResponse UiFiles::answer(const HttpServerRequest& request) const {
    HttpServerResponse response;
    std::string path = request.path.starts_with('/') ? request.path.substr(1) : request.path;
    const bool is_asset = path.starts_with("assets/");
    const std::string_view accepted = request.header("Accept-Encoding");
    const auto find = [&](const std::string& name) {
        for (const auto& [coding, ending] : {std::pair("br", ".br"), std::pair("gzip", ".gz"), std::pair("", "")}) {
            if (*coding != '\0' && !accepts(accepted, coding)) continue;
            auto content = read(name + ending);
            if (!content) continue;
            response.body = std::move(*content);
            response.headers = {{"Content-Type", std::string(type_of(name))}, {"Vary", "Accept-Encoding"}};
            if (*coding != '\0') response.headers.emplace_back("Content-Encoding", coding);
            return true;
        }
        return false;
    };
    const bool is_coded = path.ends_with(".br") || path.ends_with(".gz");
    if (!path.empty() && path != "index.html" && !is_coded && find(path)) {
        response.headers.emplace_back("Cache-Control", is_asset ? kForEver : "no-cache");
        return response;
    }
    if (is_asset) {
        response.status = 404;
        response.headers = {{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}};
        response.body = "no such file; reload the page\n";
        return response;
    }
    if (!find("index.html")) {
        response.headers = {{"Content-Type", "text/html; charset=utf-8"}};
        response.body = kNoUi;
    }
    response.headers.emplace_back("Cache-Control", "no-cache");
    return response;
}

}  // namespace shaduf::server
