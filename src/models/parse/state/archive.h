#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "jinja/value.h"
#include "models/node_config.h"

// Values as bytes for a file that the same binary reads again: no care for other machines or versions. What is read was
// checked as a whole before; a reader goes nowhere beyond its bytes nevertheless.
namespace shaduf::models {

template <typename T>
concept PlainNumber = std::is_arithmetic_v<T> || std::is_enum_v<T>;

// Puts values behind each other. Dicts of configs are kept by their number in a pool, so that those that nodes share
// are shared again. For one thread.
class ArchiveWriter {
public:
    // The settings of configs as bytes, in the order in which they were first met; equal ones stand there once.
    struct Pool {
        std::unordered_map<const jinja::Dict*, uint32_t> numbers;
        std::unordered_map<std::string, uint32_t> by_bytes;
        std::vector<const std::string*> dicts;
        bool is_whole = true;
    };
    explicit ArchiveWriter(Pool& pool) : pool_(pool) {}

    template <typename... T>
    void operator()(const T&... values) {
        (put(values), ...);
    }
    // False: something has no place in a file: an object of the host, undefined with a reason.
    bool is_whole() const { return is_whole_; }
    std::string& bytes() { return bytes_; }
    void put_dict(const jinja::Dict& dict);

private:
    template <PlainNumber T>
    void put(const T& number) {
        bytes_.append(reinterpret_cast<const char*>(&number), sizeof(T));
    }
    void put(const std::string& text) { put_text(text); }
    void put(std::string_view text) { put_text(text); }
    void put(const jinja::Value& value);
    void put(const NodeConfig& config);
    template <typename T>
    void put(const std::optional<T>& value) {
        put(value.has_value());
        if (value) put(*value);
    }
    template <typename A, typename B>
    void put(const std::pair<A, B>& pair) {
        put(pair.first);
        put(pair.second);
    }
    template <typename T>
    void put(const std::vector<T>& items) {
        put(static_cast<uint32_t>(items.size()));
        for (const T& item : items) put(item);
    }
    template <typename T>
    requires std::is_class_v<T>
    void put(const T& record) { archive_fields(*this, record); }
    void put_text(std::string_view text);

    Pool& pool_;
    std::string bytes_;
    bool is_whole_ = true;
};

class ArchiveReader {
public:
    using Pool = std::vector<jinja::Ref<jinja::Dict>>;
    ArchiveReader(std::string_view bytes, const Pool& pool) : bytes_(bytes), pool_(pool) {}

    template <typename... T>
    void operator()(T&... values) {
        (get(values), ...);
    }
    bool is_well() const { return is_well_; }
    jinja::Ref<jinja::Dict> get_dict();
    std::string_view rest() const { return bytes_; }

private:
    template <PlainNumber T>
    void get(T& number) {
        const std::string_view bytes = take(sizeof(T));
        if (!bytes.empty()) std::memcpy(&number, bytes.data(), sizeof(T));
    }
    // Bytes that are damaged may hold what no bool does.
    void get(bool& flag) {
        uint8_t byte = 0;
        get(byte);
        flag = byte != 0;
    }
    void get(std::string& text) { text = get_text(); }
    void get(std::string_view& text) { text = get_text(); }  // lives as long as the bytes
    void get(jinja::Value& value);
    void get(NodeConfig& config);
    template <typename T>
    void get(std::optional<T>& value) {
        bool has_value = false;
        get(has_value);
        if (has_value) get(value.emplace());
    }
    template <typename A, typename B>
    void get(std::pair<A, B>& pair) {
        get(pair.first);
        get(pair.second);
    }
    template <typename T>
    void get(std::vector<T>& items) {
        const uint32_t count = get_count();
        items.resize(count);
        for (T& item : items) get(item);
    }
    template <typename T>
    requires std::is_class_v<T>
    void get(T& record) { archive_fields(*this, record); }
    std::string_view get_text();
    uint32_t get_count();  // of things that take a byte each, at least
    std::string_view take(size_t size);

    std::string_view bytes_;
    const Pool& pool_;
    bool is_well_ = true;
};

// For the pages of a file that a kill or a full disk may have torn: fast, and no proof against intent.
uint64_t archive_checksum(std::string_view bytes);

}  // namespace shaduf::models
