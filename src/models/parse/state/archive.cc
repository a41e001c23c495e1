#include "models/parse/state/archive.h"

#include <bit>

namespace shaduf::models {
namespace {

using jinja::Dict;
using jinja::Kind;
using jinja::Ref;
using jinja::Value;

constexpr uint32_t kNoPool = UINT32_MAX;

}  // namespace

void ArchiveWriter::put_text(std::string_view text) {
    put(static_cast<uint32_t>(text.size()));
    bytes_.append(text);
}

void ArchiveWriter::put_dict(const Dict& dict) {
    put(static_cast<uint32_t>(dict.size()));
    for (const auto& [key, value] : dict.entries()) {
        put(key);
        put(value);
    }
}

void ArchiveWriter::put(const Value& value) {
    put(value.kind());
    switch (value.kind()) {
        case Kind::undefined: is_whole_ = is_whole_ && value.is_missing(); break;
        case Kind::none: break;
        case Kind::boolean: put(value.boolean()); break;
        case Kind::integer: put(value.integer()); break;
        case Kind::floating: put(value.floating()); break;
        case Kind::string:
            is_whole_ = is_whole_ && !value.is_markup();
            put_text(value.string());
            break;
        case Kind::list:
        case Kind::tuple: put(value.items()); break;
        case Kind::dict: put_dict(value.dict()); break;
        default: is_whole_ = false;
    }
}

void ArchiveWriter::put(const NodeConfig& config) {
    put(config.type());
    const Dict* settings = config.settings().get();
    if (settings == nullptr) return put(kNoPool);
    const auto known = pool_.numbers.find(settings);
    if (known != pool_.numbers.end()) return put(known->second);
    ArchiveWriter dict(pool_);
    dict.put_dict(*settings);
    pool_.is_whole = pool_.is_whole && dict.is_whole();
    const auto next = static_cast<uint32_t>(pool_.dicts.size());
    const auto [same, is_new] = pool_.by_bytes.emplace(std::move(dict.bytes()), next);
    if (is_new) pool_.dicts.push_back(&same->first);
    pool_.numbers.emplace(settings, same->second);
    put(same->second);
}

std::string_view ArchiveReader::take(size_t size) {
    if (size > bytes_.size()) {
        is_well_ = false;
        bytes_ = {};
        return {};
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
}

uint32_t ArchiveReader::get_count() {
    uint32_t count = 0;
    get(count);
    if (count <= bytes_.size()) return count;
    is_well_ = false;
    return 0;
}

std::string_view ArchiveReader::get_text() { return take(get_count()); }

Ref<Dict> ArchiveReader::get_dict() {
    auto dict = jinja::make<Dict>();
    const uint32_t count = get_count();
    for (uint32_t i = 0; i < count && is_well_; ++i) {
        Value key, value;
        get(key);
        get(value);
        if (!key.hash()) is_well_ = false;
        if (is_well_) dict->set(std::move(key), std::move(value));
    }
    return dict;
}

void ArchiveReader::get(Value& value) {
    Kind kind = Kind::undefined;
    get(kind);
    switch (kind) {
        case Kind::undefined: value = Value(); break;
        case Kind::none: value = Value::none(); break;
        case Kind::boolean: {
            bool boolean = false;
            get(boolean);
            value = Value(boolean);
            break;
        }
        case Kind::integer: {
            int64_t integer = 0;
            get(integer);
            value = Value(integer);
            break;
        }
        case Kind::floating: {
            double floating = 0;
            get(floating);
            value = Value(floating);
            break;
        }
        case Kind::string: value = Value(get_text()); break;
        case Kind::list:
        case Kind::tuple: {
            std::vector<Value> items;
            get(items);
            value = kind == Kind::list ? Value::list(std::move(items)) : Value::tuple(std::move(items));
            break;
        }
        case Kind::dict: value = Value(get_dict()); break;
        default: is_well_ = false;
    }
}

void ArchiveReader::get(NodeConfig& config) {
    ResourceType type = ResourceType::model;
    uint32_t number = kNoPool;
    get(type);
    get(number);
    if (number == kNoPool) {
        config = NodeConfig(type, {});
    } else if (number < pool_.size()) {
        config = NodeConfig(type, pool_[number]);
    } else {
        is_well_ = false;
    }
}

uint64_t archive_checksum(std::string_view bytes) {
    constexpr uint64_t kOdd = 0x9E3779B97F4A7C15ULL;
    uint64_t lanes[4] = {1, 2, 3, bytes.size()};
    size_t at = 0;
    for (; at + 32 <= bytes.size(); at += 32) {
        for (size_t lane = 0; lane < 4; ++lane) {
            uint64_t word = 0;
            std::memcpy(&word, bytes.data() + at + lane * 8, 8);
            lanes[lane] = std::rotl((lanes[lane] ^ word) * kOdd, 29);
        }
    }
    for (; at < bytes.size(); ++at) lanes[0] = std::rotl((lanes[0] ^ static_cast<uint8_t>(bytes[at])) * kOdd, 29);
    uint64_t sum = 0;
    for (const uint64_t lane : lanes) sum = std::rotl((sum ^ lane) * kOdd, 31);
    return sum ^ (sum >> 32U);
}

}  // namespace shaduf::models
