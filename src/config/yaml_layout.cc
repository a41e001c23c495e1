#include "config/yaml_layout.h"

#include <yaml.h>

#include <map>
#include <optional>
#include <set>

namespace shaduf {
namespace {

// Owns libyaml's parser and the event that it gave last.
class Events {
public:
    explicit Events(std::string_view text) {
        yaml_parser_initialize(&parser_);
        yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
    }
    ~Events() {
        yaml_event_delete(&event_);
        yaml_parser_delete(&parser_);
    }
    Events(const Events&) = delete;
    Events& operator=(const Events&) = delete;

    bool next() {
        yaml_event_delete(&event_);
        return yaml_parser_parse(&parser_, &event_) != 0;
    }
    const yaml_event_t& event() const { return event_; }
    std::string problem() const { return parser_.problem == nullptr ? "unknown" : parser_.problem; }
    int problem_line() const { return static_cast<int>(parser_.problem_mark.line) + 1; }

private:
    yaml_parser_t parser_{};
    yaml_event_t event_{};
};

std::string text_of(const unsigned char* text) { return text == nullptr ? "" : reinterpret_cast<const char*>(text); }

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Behind the anchor and the tag at `at`, and what separates them from the value.
size_t skip_properties(std::string_view text, size_t at) {
    while (at < text.size() && (text[at] == '&' || text[at] == '!')) {
        while (at < text.size() && !is_space(text[at])) ++at;
        for (bool in_comment = false; at < text.size(); ++at) {
            if (text[at] == '#' && is_space(text[at - 1])) in_comment = true;
            if (text[at] == '\n') in_comment = false;
            if (!in_comment && !is_space(text[at])) break;
        }
    }
    return at;
}

// Blank lines behind a block scalar are its value only where it keeps them.
size_t end_of_block_scalar(std::string_view text, size_t body, size_t end) {
    const std::string_view header = text.substr(body, text.find('\n', body) - body);
    if (header.substr(0, header.find('#')).find('+') == std::string_view::npos) {
        while (end > body && is_space(text[end - 1])) --end;
        return end;
    }
    if (end > body && text[end - 1] == '\n') --end;
    if (end > body && text[end - 1] == '\r') --end;
    return end;
}

class LayoutReader {
public:
    LayoutReader(std::string_view text, std::string file) : text_(text), file_(std::move(file)), events_(skip_mark()) {
        bool is_ascii = true;
        for (const char c : text_) is_ascii = is_ascii && static_cast<unsigned char>(c) < 0x80;
        if (is_ascii) return;
        for (size_t i = first_; i < text_.size(); ++i) {
            if ((static_cast<unsigned char>(text_[i]) & 0xC0U) != 0x80U) offsets_.push_back(i);
        }
        offsets_.push_back(text_.size());
    }

    Result<YamlLayout> read() {
        YamlLayout layout;
        for (;;) {
            TRY(next());
            if (events_.event().type == YAML_STREAM_END_EVENT) return layout;
            if (events_.event().type != YAML_DOCUMENT_START_EVENT) continue;
            TRY(next());
            YamlPiece root = TRY(read_piece());
            if (++layout.documents == 1) layout.root = std::move(root);
        }
    }

private:
    std::string_view skip_mark() {
        first_ = text_.starts_with("\xEF\xBB\xBF") ? 3 : 0;
        return text_.substr(first_);
    }
    // libyaml counts characters.
    size_t offset(size_t index) const {
        if (offsets_.empty()) return std::min(first_ + index, text_.size());
        return offsets_[std::min(index, offsets_.size() - 1)];
    }
    Error refuse(int line, const std::string& what) const {
        return Error(ErrorKind::invalid_config, what).at(Place::in_file(file_, line));
    }
    Result<void> next() {
        if (events_.next()) return {};
        return refuse(events_.problem_line(), "not valid YAML: " + events_.problem());
    }

    // Of the event at hand; leaves behind its last one.
    Result<YamlPiece> read_piece() {
        const yaml_event_t& event = events_.event();
        YamlPiece piece;
        piece.start = piece.body = offset(event.start_mark.index);
        piece.end = offset(event.end_mark.index);
        piece.line = static_cast<int>(event.start_mark.line) + 1;
        switch (event.type) {
            case YAML_ALIAS_EVENT:
                piece.kind = YamlPiece::Kind::alias;
                piece.text = text_of(event.data.alias.anchor);
                return piece;
            case YAML_SCALAR_EVENT: read_scalar(event, piece); return piece;
            case YAML_SEQUENCE_START_EVENT:
                piece.kind = YamlPiece::Kind::list;
                piece.is_flow = event.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
                take_properties(event.data.sequence_start.anchor, event.data.sequence_start.tag, piece);
                TRY(read_items(piece));
                return piece;
            case YAML_MAPPING_START_EVENT:
                piece.kind = YamlPiece::Kind::map;
                piece.is_flow = event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
                take_properties(event.data.mapping_start.anchor, event.data.mapping_start.tag, piece);
                TRY(read_entries(piece));
                return piece;
            default: return refuse(piece.line, "not valid YAML: a value was expected");
        }
    }

    void take_properties(const unsigned char* anchor, const unsigned char* tag, YamlPiece& piece) const {
        piece.anchor = text_of(anchor);
        piece.tag = text_of(tag);
        if (!piece.anchor.empty() || !piece.tag.empty()) piece.body = skip_properties(text_, piece.start);
    }

    void read_scalar(const yaml_event_t& event, YamlPiece& piece) const {
        const auto& scalar = event.data.scalar;
        piece.text.assign(reinterpret_cast<const char*>(scalar.value), scalar.length);
        take_properties(scalar.anchor, scalar.tag, piece);
        switch (scalar.style) {
            case YAML_SINGLE_QUOTED_SCALAR_STYLE: piece.style = YamlPiece::Style::single_quoted; break;
            case YAML_DOUBLE_QUOTED_SCALAR_STYLE: piece.style = YamlPiece::Style::double_quoted; break;
            case YAML_LITERAL_SCALAR_STYLE:
            case YAML_FOLDED_SCALAR_STYLE: piece.style = YamlPiece::Style::block; break;
            default: break;
        }
        if (piece.style == YamlPiece::Style::block) piece.end = end_of_block_scalar(text_, piece.body, piece.end);
        const bool is_word = piece.text.empty() || piece.text == "~" || piece.text == "null" || piece.text == "Null" ||
                             piece.text == "NULL";
        const bool is_plain = piece.style == YamlPiece::Style::plain && piece.tag != "tag:yaml.org,2002:str";
        piece.kind = is_plain && is_word ? YamlPiece::Kind::null : YamlPiece::Kind::scalar;
        piece.body = std::min(piece.body, piece.end);
    }

    Result<void> read_items(YamlPiece& piece) {
        for (;;) {
            TRY(next());
            if (events_.event().type == YAML_SEQUENCE_END_EVENT) break;
            piece.items.push_back(TRY(read_piece()));
        }
        if (piece.is_flow) {
            piece.end = offset(events_.event().end_mark.index);
        } else if (!piece.items.empty()) {
            piece.end = piece.items.back().end;
        }
        return {};
    }

    Result<void> read_entries(YamlPiece& piece) {
        for (;;) {
            TRY(next());
            if (events_.event().type == YAML_MAPPING_END_EVENT) break;
            YamlEntry entry;
            entry.key = TRY(read_piece());
            TRY(next());
            entry.value = TRY(read_piece());
            place_value(entry);
            piece.entries.push_back(std::move(entry));
        }
        if (piece.is_flow) {
            piece.end = offset(events_.event().end_mark.index);
        } else if (!piece.entries.empty()) {
            piece.body = piece.entries.front().key.start;
            piece.end = piece.entries.back().value.end;
        }
        return {};
    }

    // A value that is not written stands behind the colon, wherever libyaml saw that it is not there.
    void place_value(YamlEntry& entry) const {
        size_t at = entry.key.end;
        while (at < text_.size() && is_space(text_[at])) ++at;
        if (at < text_.size() && text_[at] == ':') entry.colon = at;
        YamlPiece& value = entry.value;
        if (value.kind != YamlPiece::Kind::null || value.start != value.end) return;
        value.start = value.body = value.end = entry.colon == std::string::npos ? entry.key.end : entry.colon + 1;
    }

    const std::string_view text_;
    const std::string file_;
    size_t first_ = 0;
    std::vector<size_t> offsets_;  // of characters; empty: each is a byte
    Events events_;
};

class Meaning {
public:
    Result<Node> of(const YamlPiece& piece) {
        if (!piece.anchor.empty()) open_.insert(piece.anchor);
        Node node = TRY(of_value(piece));
        if (!piece.anchor.empty()) {
            open_.erase(piece.anchor);
            anchors_[piece.anchor] = node;
        }
        return node;
    }

private:
    Result<Node> of_value(const YamlPiece& piece) {
        switch (piece.kind) {
            case YamlPiece::Kind::null: return Node::null({});
            case YamlPiece::Kind::scalar: {
                const bool is_text = piece.style != YamlPiece::Style::plain || piece.tag == "tag:yaml.org,2002:str";
                return Node::scalar(piece.text, is_text, {});
            }
            case YamlPiece::Kind::alias: {
                const auto found = anchors_.find(piece.text);
                if (found != anchors_.end() && !open_.contains(piece.text)) return found->second;
                return Error(ErrorKind::invalid_config, "nothing is called &" + piece.text + " any more, which line " +
                                                            std::to_string(piece.line) + " refers to");
            }
            case YamlPiece::Kind::list: {
                std::vector<Node> items;
                for (const YamlPiece& item : piece.items) items.push_back(TRY(of(item)));
                return Node::list(std::move(items), {});
            }
            case YamlPiece::Kind::map: return of_map(piece);
        }
        return Node::null({});
    }

    Result<Node> of_map(const YamlPiece& piece) {
        std::vector<Node::Entry> entries;
        std::set<std::string, std::less<>> keys;
        std::vector<Node> merged;
        for (const YamlEntry& entry : piece.entries) {
            const Node key = TRY(of(entry.key));
            Node value = TRY(of(entry.value));
            if (!key.is_scalar()) return Error(ErrorKind::invalid_config, "a key must be text");
            if (key.text() == "<<" && !key.is_quoted()) {
                merged.push_back(std::move(value));
            } else if (keys.insert(key.text()).second) {
                entries.push_back({key.text(), {}, std::move(value)});
            } else {
                return Error(ErrorKind::invalid_config, "key given twice: " + key.text());
            }
        }
        for (const Node& node : merged) merge(node, entries, keys);
        return Node::map(std::move(entries), {});
    }

    static void merge(const Node& from, std::vector<Node::Entry>& entries, std::set<std::string, std::less<>>& keys) {
        for (const Node& item : from.items()) merge(item, entries, keys);
        for (const Node::Entry& entry : from.entries()) {
            if (keys.insert(entry.key).second) entries.push_back(entry);
        }
    }

    std::map<std::string, Node> anchors_;
    std::set<std::string> open_;  // being read
};

// Line ends that YAML 1.1 knows and no editor shows as such.
std::optional<int> unusual_line_end(std::string_view text) {
    int line = 1;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\n') ++line;
        if (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n')) return line;
        const auto rest = text.substr(i, 3);
        if (rest.starts_with("\xC2\x85") || rest == "\xE2\x80\xA8" || rest == "\xE2\x80\xA9") return line;
    }
    return std::nullopt;
}

}  // namespace

const YamlEntry* YamlPiece::find(std::string_view name) const {
    for (const YamlEntry& entry : entries) {
        if (entry.key.text == name && entry.key.kind == Kind::scalar) return &entry;
    }
    return nullptr;
}

YamlEntry* YamlPiece::find(std::string_view name) {
    return const_cast<YamlEntry*>(static_cast<const YamlPiece&>(*this).find(name));  // NOLINT: the same, not const
}

Result<YamlLayout> read_yaml_layout(std::string_view text, const std::string& file) {
    if (const auto line = unusual_line_end(text)) {
        return Error(ErrorKind::invalid_config, "a line ends in an unusual way; edit the text")
            .at(Place::in_file(file, *line));
    }
    return LayoutReader(text, file).read();
}

Result<Node> meaning_of(const YamlPiece& root) { return Meaning().of(root); }

}  // namespace shaduf
