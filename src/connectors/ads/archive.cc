#include "connectors/ads/archive.h"

#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/time.h"
#include "io/url.h"

namespace shaduf::ads {
namespace {

using Json = nlohmann::json;

constexpr uint32_t kSkippableFrame = 0x184D2A50;  // the format's first magic number of its kind
constexpr size_t kSkippableHead = 8;
constexpr int kLevel = 1;
constexpr size_t kObjectBytes = 8 << 20;
constexpr std::string_view kEnd = "-end";
constexpr std::string_view kSuffix = ".zst";
constexpr std::string_view kNoDays = "all";

// One part of a key; never empty, never "." or "..".
std::string key_part(const std::string& text) {
    std::string part = percent_encode(text);
    return part.empty() || part.starts_with('.') || part.starts_with('_') ? "_" + part : part;
}

std::string text_of_part(std::string_view part) {
    if (part.starts_with('_')) part.remove_prefix(1);
    return percent_decode(part);
}

std::string days_part(const std::optional<DayRange>& days) {
    return days ? format_day(days->first) + "_" + format_day(days->last) : std::string(kNoDays);
}

void append_skippable(std::string& out, const std::string& text) {
    for (const uint32_t value : {kSkippableFrame, static_cast<uint32_t>(text.size())}) {
        for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(value >> shift & 0xFF);
    }
    out += text;
}

Json slice_json(const Slice& slice) {
    const Account& account = slice.account;
    Json json = {{"account", account.id},        {"name", account.name},   {"time_zone", account.time_zone},
                 {"currency", account.currency}, {"owner", account.owner}, {"part", slice.part},
                 {"cursor", slice.cursor}};
    if (slice.days) json["days"] = {format_day(slice.days->first), format_day(slice.days->last)};
    return json;
}

Slice slice_of(const Json& json) {
    Slice slice;
    slice.account = {json.at("account"), json.at("name"), json.at("time_zone"), json.at("currency"), json.at("owner")};
    slice.part = json.at("part");
    slice.cursor = json.at("cursor");
    if (json.contains("days")) {
        const auto first = parse_day(json["days"].at(0).get<std::string>());
        const auto last = parse_day(json["days"].at(1).get<std::string>());
        if (first && last) slice.days = DayRange{*first, *last};
    }
    return slice;
}

class SliceWriter final : public ArchivedSlice {
public:
    SliceWriter(std::shared_ptr<ObjectStore> store, std::string key, const Slice& slice)
        : store_(std::move(store)), key_(std::move(key)), slice_(slice_json(slice)) {}

    Result<void> keep(RunContext& run, const Page& page) override {
        Json head = {{"note", page.note}};
        if (pending_.empty()) head["slice"] = slice_;
        append_skippable(pending_, head.dump(-1, ' ', false, Json::error_handler_t::replace));
        const size_t before = pending_.size();
        pending_.resize(before + ZSTD_compressBound(page.body->size()));
        const size_t packed = ZSTD_compress(pending_.data() + before, pending_.size() - before, page.body->data(),
                                            page.body->size(), kLevel);
        if (ZSTD_isError(packed))
            return Error(ErrorKind::internal, "zstd failed: " + std::string(ZSTD_getErrorName(packed)));
        pending_.resize(before + packed);
        return pending_.size() < kObjectBytes ? Result<void>() : put(run, "");
    }

    // Also of a slice without a page: that there was nothing is worth knowing.
    Result<void> finish(RunContext& run) override {
        if (pending_.empty()) append_skippable(pending_, Json{{"slice", slice_}, {"empty", true}}.dump());
        return put(run, kEnd);
    }

private:
    Result<void> put(RunContext& run, std::string_view end) {
        const std::string key = key_ + "-" + std::to_string(number_++) + std::string(end) + std::string(kSuffix);
        TRY(store_->put(run, key, pending_));
        pending_.clear();
        return {};
    }

    const std::shared_ptr<ObjectStore> store_;
    const std::string key_;
    const Json slice_;
    std::string pending_;
    int number_ = 0;
};

// A key's parts: "<days>/<time>-<number>[-end].zst" and what stands before.
struct KeyParts {
    std::string prefix;  // up to the time
    std::string slice;   // up to the days
    Timestamp fetched{};
    bool is_end = false;
};

std::optional<KeyParts> parse_key(std::string_view key) {
    KeyParts parts;
    if (!key.ends_with(kSuffix)) return std::nullopt;
    key.remove_suffix(kSuffix.size());
    parts.is_end = key.ends_with(kEnd);
    if (parts.is_end) key.remove_suffix(kEnd.size());
    const auto dash = key.rfind('-');
    const auto slash = key.rfind('/');
    if (dash == std::string_view::npos || slash == std::string_view::npos || dash < slash) return std::nullopt;
    parts.prefix = key.substr(0, dash);
    parts.slice = key.substr(0, slash);
    const auto time = parse_timestamp(percent_decode(key.substr(slash + 1, dash - slash - 1)));
    if (!time) return std::nullopt;
    parts.fetched = Timestamp(std::chrono::microseconds(time->microseconds));
    return parts;
}

std::optional<ArchivedFetch> fetch_of(const KeyParts& parts, size_t folder_bytes) {
    std::vector<std::string> names;
    for (const auto& name : split(std::string_view(parts.slice).substr(folder_bytes), '/')) names.emplace_back(name);
    if (names.size() != 3) return std::nullopt;
    ArchivedFetch fetch{parts.prefix, parts.fetched, text_of_part(names[0]), text_of_part(names[1]), std::nullopt};
    if (names[2] == kNoDays) return fetch;
    const auto mark = names[2].find('_');
    if (mark == std::string::npos) return std::nullopt;
    const auto first = parse_day(names[2].substr(0, mark));
    const auto last = parse_day(names[2].substr(mark + 1));
    if (!first || !last) return std::nullopt;
    fetch.days = DayRange{*first, *last};
    return fetch;
}

Error broken(const ObjectStore& store, const std::string& key) {
    return Error(ErrorKind::bad_data,
                 "archived answer is broken: " + store.name_of(key) + "; remove it, and load these days anew");
}

// The pages of one object; `slice` stands in its first head.
Result<void> read_object(const std::string& name, const Buffer& object, Slice& slice, const Archive::EachPage& each) {
    const Error error(ErrorKind::bad_data,
                      "archived answer is broken: " + name + "; remove it, and load these days anew");
    std::string_view left = object.view();
    while (!left.empty()) {
        if (left.size() < kSkippableHead) return error;
        uint32_t length = 0;
        std::memcpy(&length, left.data() + 4, sizeof length);
        if (left.size() - kSkippableHead < length) return error;
        const Json head = Json::parse(left.substr(kSkippableHead, length), nullptr, false);
        left.remove_prefix(kSkippableHead + length);
        if (!head.is_object()) return error;
        try {
            if (head.contains("slice")) slice = slice_of(head["slice"]);
        } catch (const Json::exception&) {
            return error;
        }
        if (head.value("empty", false)) continue;
        const size_t packed = ZSTD_findFrameCompressedSize(left.data(), left.size());
        const auto bytes = ZSTD_getFrameContentSize(left.data(), left.size());
        if (ZSTD_isError(packed) || bytes == ZSTD_CONTENTSIZE_ERROR || bytes == ZSTD_CONTENTSIZE_UNKNOWN) return error;
        std::string body(bytes, '\0');
        const size_t unpacked = ZSTD_decompress(body.data(), body.size(), left.data(), packed);
        if (ZSTD_isError(unpacked) || unpacked != bytes) return error;
        left.remove_prefix(packed);
        BufferBuilder text;
        text.append(body);
        TRY(each(slice, Page{text.finish(), head.value("note", "")}));
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<Archive>> Archive::open(const SourceSettings& settings) {
    if (!settings.archive) return std::unique_ptr<Archive>();
    auto store = TRY(open_object_store(settings.archive->store));
    std::string folder = key_part(settings.connection) + "/" + key_part(settings.stream) + "/";
    return std::unique_ptr<Archive>(new Archive(std::move(store), std::move(folder), settings.archive->retention));
}

Result<std::unique_ptr<ArchivedSlice>> Archive::begin(RunContext& run, const Slice& slice) {
    const std::string key = folder_ + key_part(slice.account.id) + "/" + key_part(slice.part) + "/" +
                            days_part(slice.days) + "/" + percent_encode(format_timestamp(run.clock.now()));
    return std::unique_ptr<ArchivedSlice>(std::make_unique<SliceWriter>(store_, key, slice));
}

Result<void> Archive::remove_old(RunContext& run) {
    const Timestamp oldest = run.clock.now() - retention_;
    return store_->list(run, folder_, [&](std::span<const ObjectInfo> objects) -> Result<void> {
        for (const ObjectInfo& object : objects) {
            const auto parts = parse_key(object.key);
            if (parts && parts->fetched < oldest) TRY(store_->remove(run, object.key));
        }
        return {};
    });
}

Result<std::vector<ArchivedFetch>> Archive::list(RunContext& run) {
    std::vector<ArchivedFetch> fetches;
    TRY(store_->list(run, folder_, [&](std::span<const ObjectInfo> objects) -> Result<void> {
        for (const ObjectInfo& object : objects) {
            const auto parts = parse_key(object.key);
            if (!parts || !parts->is_end) continue;
            if (auto fetch = fetch_of(*parts, folder_.size())) fetches.push_back(std::move(*fetch));
        }
        return {};
    }));
    std::stable_sort(fetches.begin(), fetches.end(),
                     [](const ArchivedFetch& a, const ArchivedFetch& b) { return a.fetched < b.fetched; });
    return fetches;
}

Result<void> Archive::read(RunContext& run, const ArchivedFetch& fetch, const EachPage& each) {
    Slice slice;
    for (int number = 0;; ++number) {
        const std::string key = fetch.prefix + "-" + std::to_string(number);
        std::string name = key + std::string(kSuffix);
        BufferPtr object = TRY(store_->get(run, name));
        const bool is_end = object == nullptr;
        if (is_end) {
            name = key + std::string(kEnd) + std::string(kSuffix);
            object = TRY(store_->get(run, name));
        }
        if (object == nullptr) return broken(*store_, name);
        TRY(read_object(store_->name_of(name), *object, slice, each));
        if (is_end) return {};
    }
}

}  // namespace shaduf::ads
