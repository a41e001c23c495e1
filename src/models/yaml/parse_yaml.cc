// From libyaml's events to a tree: what PyYAML's composer and safe constructor do with the same events.
#include "models/yaml/parse_yaml.h"

#include <yaml.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <utility>

#include "base/text.h"
#include "models/python_text.h"
#include "models/yaml/yaml_builder.h"
#include "models/yaml/yaml_scalar.h"

namespace shaduf::models {
namespace {

constexpr size_t kBytesMax = 64ULL << 20;
constexpr size_t kDepthMax = 200;
constexpr size_t kNodesMax = 5'000'000;
constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";

std::string_view view(const yaml_char_t* text) {
    return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
}

// One event of libyaml, freed with this.
struct Event {
    Event() = default;
    ~Event() { yaml_event_delete(&event); }
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    yaml_event_t event{};
};

struct Parser {
    Parser() { ok = yaml_parser_initialize(&parser) == 1; }
    ~Parser() {
        if (ok) yaml_parser_delete(&parser);
    }
    Parser(const Parser&) = delete;
    Parser& operator=(const Parser&) = delete;
    yaml_parser_t parser{};
    bool ok = false;
};

class TreeReader {
public:
    TreeReader(std::string_view text, const std::string& file, uint32_t lines_before)
        : file_(file), lines_before_(lines_before) {
        if (!parser_.ok) return;
        yaml_parser_set_input_string(&parser_.parser, reinterpret_cast<const unsigned char*>(text.data()), text.size());
        yaml_parser_set_encoding(&parser_.parser, YAML_UTF8_ENCODING);
    }

    Result<YamlTree> read() {
        if (!parser_.ok) return Error(ErrorKind::exhausted, "no memory to read YAML").at(Place::in_file(file_, 0));
        for (;;) {
            Event held;
            if (yaml_parser_parse(&parser_.parser, &held.event) == 0) return syntax_error();
            const yaml_event_t& event = held.event;
            if (event.type == YAML_STREAM_END_EVENT) break;
            TRY(take(event));
        }
        if (documents_ == 0) builder_.add_null();
        return builder_.finish();
    }

private:
    struct Level {
        bool is_map;
        uint32_t children = 0;  // keys and values of a map
        bool merges_next = false;
        bool first_key_merges = false;
        std::string anchor;
        size_t nodes_before;
        std::vector<YamlNode> merged;
    };
    struct Anchored {
        std::optional<YamlNode> node;  // nullopt: not finished
        size_t nodes = 0;
        uint32_t line = 0;
    };

    Result<void> take(const yaml_event_t& event) {
        builder_.at({line_of(event.start_mark), static_cast<uint32_t>(event.start_mark.column) + 1});
        switch (event.type) {
            case YAML_DOCUMENT_START_EVENT:
                if (++documents_ > 1) {
                    return error(event.start_mark,
                                 "more than one document in the file; keep one, without \"---\" between");
                }
                return {};
            case YAML_ALIAS_EVENT: return take_alias(event);
            case YAML_SCALAR_EVENT: return take_scalar(event);
            case YAML_SEQUENCE_START_EVENT: {
                const auto& data = event.data.sequence_start;
                return open(event, false, view(data.tag), "seq", view(data.anchor));
            }
            case YAML_MAPPING_START_EVENT: {
                const auto& data = event.data.mapping_start;
                return open(event, true, view(data.tag), "map", view(data.anchor));
            }
            case YAML_SEQUENCE_END_EVENT:
            case YAML_MAPPING_END_EVENT: return close();
            default: return {};
        }
    }

    uint32_t line_of(const yaml_mark_t& mark) const { return static_cast<uint32_t>(mark.line) + 1 + lines_before_; }

    Error error(const yaml_mark_t& mark, std::string message) const {
        return error_at(line_of(mark), mark.column + 1, std::move(message));
    }
    Error error_at(uint32_t line, size_t column, std::string message) const {
        if (column > 1) message = "column " + std::to_string(column) + ": " + message;
        return Error(ErrorKind::invalid_config, std::move(message)).at(Place::in_file(file_, static_cast<int>(line)));
    }

    Error syntax_error() const {
        const yaml_parser_t& parser = parser_.parser;
        if (parser.error == YAML_MEMORY_ERROR) {
            return Error(ErrorKind::exhausted, "no memory to read YAML").at(Place::in_file(file_, 0));
        }
        std::string message = "not valid YAML: ";
        message += parser.problem == nullptr ? "unknown problem" : parser.problem;
        if (parser.context != nullptr) {
            message += std::string(" ") + parser.context + " from line " + std::to_string(line_of(parser.context_mark));
        }
        if (parser.error == YAML_READER_ERROR) {
            const auto at = static_cast<uint32_t>(parser.mark.line) + 1 + lines_before_;
            return error_at(at, 0, message + "; remove the character");
        }
        if (view_contains(parser.problem, "cannot start any token")) {
            message += "; put texts that begin with @, `, % or a tab, and Jinja, in quotes";
        } else if (view_contains(parser.problem, "mapping values are not allowed")) {
            message += "; put texts with \": \" in quotes, and check the indentation";
        } else if (view_contains(parser.problem, "did not find expected")) {
            message += "; check indentation, quotes and brackets";
        }
        return error(parser.problem_mark, std::move(message));
    }
    static bool view_contains(const char* text, std::string_view part) {
        return text != nullptr && std::string_view(text).find(part) != std::string_view::npos;
    }

    Result<void> count(const yaml_mark_t& mark, size_t nodes) {
        nodes_ += nodes;
        if (nodes_ <= kNodesMax) return {};
        return error(mark, "too many values (those that aliases repeat counted): the limit is 5,000,000");
    }

    bool expects_key() const { return !levels_.empty() && levels_.back().is_map && levels_.back().children % 2 == 0; }

    Result<void> note_anchor(const yaml_event_t& event, std::string_view anchor) {
        if (anchor.empty()) return {};
        const auto [known, is_new] = anchors_.try_emplace(std::string(anchor));
        if (!is_new) {
            return error(event.start_mark, "anchor given twice: " + std::string(anchor) + ", first in line " +
                                               std::to_string(known->second.line) + "; name one otherwise");
        }
        known->second.line = line_of(event.start_mark);
        return {};
    }
    void finish_anchor(std::string_view anchor, size_t nodes_before) {
        if (anchor.empty()) return;
        Anchored& anchored = anchors_.find(anchor)->second;
        anchored.node = builder_.last();
        anchored.nodes = nodes_ - nodes_before;
    }

    Result<void> open(const yaml_event_t& event, bool is_map, std::string_view tag, std::string_view own_tag,
                      std::string_view anchor) {
        const bool known = tag.empty() || tag == "!" || tag == std::string(kTagPrefix) + std::string(own_tag);
        if (!known) return error(event.start_mark, "tag not supported: " + std::string(tag) + "; remove it");
        if (expects_key())
            return error(event.start_mark, "a key must be one value, not a list or a map; put {{ ... }} in quotes");
        if (levels_.size() >= kDepthMax) return error(event.start_mark, "nested too deep: the limit is 200 levels");
        TRY(note_anchor(event, anchor));
        levels_.push_back({.is_map = is_map, .anchor = std::string(anchor), .nodes_before = nodes_, .merged = {}});
        TRY(count(event.start_mark, 1));
        if (is_map) {
            builder_.begin_map();
        } else {
            builder_.begin_list();
        }
        return {};
    }

    Result<void> close() {
        Level level = std::move(levels_.back());
        levels_.pop_back();
        if (level.is_map) {
            if (!level.merged.empty()) add_merged(level);
            builder_.end_map(level.first_key_merges ? YamlBuilder::Duplicates::silent : YamlBuilder::Duplicates::noted);
        } else {
            builder_.end_list();
        }
        finish_anchor(level.anchor, level.nodes_before);
        return added();
    }

    // "<<": what is merged stands before the map's own entries, which win.
    void add_merged(const Level& level) {
        std::vector<YamlNode> own(level.children);
        for (size_t i = own.size(); i-- > 0;) own[i] = builder_.pop();
        for (const YamlNode& node : level.merged) {
            for (const YamlEntry& entry : node.entries()) {
                builder_.add(entry.key);
                builder_.add(entry.value);
            }
        }
        for (const YamlNode& node : own) builder_.add(node);
    }

    // Behind every value: counts it in its level, and takes it away when it is to be merged.
    Result<void> added() {
        if (levels_.empty()) return {};
        Level& level = levels_.back();
        if (!level.merges_next) {
            ++level.children;
            return {};
        }
        level.merges_next = false;
        --level.children;  // its key
        const YamlNode value = builder_.pop();
        const auto refuse = [&] {
            return error_at(value.line(), value.column(),
                            "<< takes a map or a list of maps, not " + std::string(to_string(value.kind())));
        };
        if (value.is_map()) {
            level.merged.push_back(value);
            return {};
        }
        if (!value.is_list()) return refuse();
        // Of a list, what stands first wins, so it is added last.
        for (size_t i = value.items().size(); i-- > 0;) {
            if (!value.items()[i].is_map()) return refuse();
            level.merged.push_back(value.items()[i]);
        }
        return {};
    }

    Result<void> take_alias(const yaml_event_t& event) {
        const std::string_view name = view(event.data.alias.anchor);
        const auto known = anchors_.find(name);
        if (known == anchors_.end()) {
            return error(event.start_mark, "alias of an unknown anchor: *" + std::string(name) +
                                               "; put texts that begin with * in quotes");
        }
        if (!known->second.node) return error(event.start_mark, "a value contains itself: *" + std::string(name));
        if (expects_key() && (known->second.node->is_list() || known->second.node->is_map())) {
            return error(event.start_mark, "a key must be one value, not a list or a map");
        }
        TRY(count(event.start_mark, known->second.nodes));
        builder_.add(*known->second.node);
        return added();
    }

    Result<YamlTag> tag_of(const yaml_event_t& event, std::string_view text) const {
        const auto& data = event.data.scalar;
        std::string_view tag = view(data.tag);
        if (tag.empty() || tag == "!") return data.plain_implicit != 0 ? implicit_tag(text) : YamlTag::text;
        if (tag.starts_with(kTagPrefix)) {
            tag.remove_prefix(kTagPrefix.size());
            if (tag == "str") return YamlTag::text;
            if (tag == "int") return YamlTag::integer;
            if (tag == "float") return YamlTag::real;
            if (tag == "bool") return YamlTag::boolean;
            if (tag == "null") return YamlTag::null;
            if (tag == "timestamp") return YamlTag::timestamp;
        }
        return error(event.start_mark, "tag not supported: " + std::string(tag) + "; remove it");
    }

    Result<void> take_scalar(const yaml_event_t& event) {
        const auto& data = event.data.scalar;
        const std::string_view text(reinterpret_cast<const char*>(data.value), data.length);
        const std::string_view anchor = view(data.anchor);
        TRY(note_anchor(event, anchor));
        const size_t nodes_before = nodes_;
        TRY(count(event.start_mark, 1));
        YamlTag tag = TRY(tag_of(event, text));
        const bool is_key = expects_key();
        if (is_key && levels_.back().children == 0 && levels_.back().merged.empty()) {
            levels_.back().first_key_merges = text == "<<";
        }
        if (is_key && tag == YamlTag::merge) {
            levels_.back().merges_next = true;
            ++levels_.back().children;
            return {};
        }
        if (is_key && tag == YamlTag::value) tag = YamlTag::text;
        if (tag == YamlTag::merge || tag == YamlTag::value) {
            return error(event.start_mark, "a plain " + std::string(text) + " has no meaning here; put it in quotes");
        }
        TRY(add_scalar(event, tag, text));
        finish_anchor(anchor, nodes_before);
        return added();
    }

    Result<void> add_scalar(const yaml_event_t& event, YamlTag tag, std::string_view text) {
        if (tag == YamlTag::text) {
            builder_.add_text(text, event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE);
            return {};
        }
        auto read = read_scalar(tag, text);
        if (!read.ok()) return error(event.start_mark, read.error().message());
        const ScalarValue& value = read.value();
        switch (value.kind) {
            case YamlKind::null: builder_.add_null(); break;
            case YamlKind::boolean: builder_.add_boolean(value.boolean); break;
            case YamlKind::integer: builder_.add_integer(value.integer); break;
            case YamlKind::real: builder_.add_real(value.real); break;
            default: builder_.add_text(value.kind, value.text); break;
        }
        return {};
    }

    const std::string& file_;
    const uint32_t lines_before_;
    Parser parser_;
    YamlBuilder builder_;
    std::vector<Level> levels_;
    std::map<std::string, Anchored, std::less<>> anchors_;
    size_t nodes_ = 0;
    size_t documents_ = 0;
};

int line_of_invalid_utf8(std::string_view text) {
    int line = 1;
    for (const auto part : split(text, '\n')) {
        if (!is_valid_utf8(part)) return line;
        ++line;
    }
    return 0;
}

}  // namespace

Result<YamlTree> parse_yaml(std::string_view text, const std::string& file, YamlStrip strip) {
    const auto refuse = [&](int line, std::string message) {
        return Error(ErrorKind::invalid_config, std::move(message)).at(Place::in_file(file, line));
    };
    if (text.size() > kBytesMax) return refuse(0, "the file is larger than 64 MB; split it");
    if (!is_valid_utf8(text)) return refuse(line_of_invalid_utf8(text), "not valid UTF-8; save the file as UTF-8");
    uint32_t lines_before = 0;
    if (strip == YamlStrip::as_dbt) {
        const std::string_view stripped = python_strip(text);
        for (const char* at = text.data(); at < stripped.data(); ++at) lines_before += *at == '\n' ? 1 : 0;
        text = stripped;
    }
    return TreeReader(text, file, lines_before).read();
}

Result<std::string> read_text_file(const std::string& path, const std::string& shown_as) {
    std::ifstream in(path, std::ios::binary);
    std::string text;
    std::vector<char> part(1 << 16);
    while (in && text.size() <= kBytesMax) {
        in.read(part.data(), static_cast<std::streamsize>(part.size()));
        text.append(part.data(), static_cast<size_t>(in.gcount()));
    }
    if (in.eof()) return text;
    const std::string why = text.size() > kBytesMax ? "it is larger than 64 MB" : std::strerror(errno);
    return Error(ErrorKind::invalid_config, "cannot read the file: " + why).at(Place::in_file(shown_as, 0));
}

Result<YamlTree> load_yaml(const std::string& path, const std::string& shown_as, YamlStrip strip) {
    return parse_yaml(TRY(read_text_file(path, shown_as)), shown_as, strip);
}

}  // namespace shaduf::models
