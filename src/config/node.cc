#include "config/node.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#include "base/text.h"

namespace shaduf {

struct Node::State {
    Kind kind = Kind::null;
    Place place;
    std::string text;
    bool quoted = false;
    std::vector<Node> items;
    std::vector<Entry> entries;
};

namespace {

constexpr size_t kDepthMax = 64;
constexpr size_t kNodesMax = 1'000'000;  // aliases counted as often as they are used
constexpr size_t kFileBytesMax = 16 << 20;

// Leaves the parser from inside a callback; never leaves this file.
struct Refused {
    Error error;
};

Error yaml_error(const std::string& file, const YAML::Mark& mark, std::string message) {
    return Error(ErrorKind::invalid_config, std::move(message)).at(Place::in_file(file, mark.line + 1));
}

// Builds Nodes from the parser's events. Events rather than yaml-cpp's own tree, since only they tell a cyclic alias, a
// key given twice and quotes.
class NodeHandler final : public YAML::EventHandler {
public:
    explicit NodeHandler(std::string file) : file_(std::move(file)) {}
    Node take_root() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        if (expects_key()) refuse(mark, "a key must be text: write it in quotes");
        count(mark, 1);
        // The parser's mark of an empty value is that of the token behind it.
        const bool has_key = !levels_.empty() && levels_.back().has_key;
        add(Node::null(has_key ? levels_.back().key_place : place(mark)), mark, anchor, 1);
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        count(mark, 1);
        add(Node::scalar(value, tag == "!" || tag == "tag:yaml.org,2002:str", place(mark)), mark, anchor, 1);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto known = anchors_.find(anchor);
        if (known == anchors_.end()) refuse(mark, "an alias contains itself: name a finished anchor");
        count(mark, known->second.nodes);
        add(known->second.node, mark, 0, known->second.nodes);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(mark, anchor, Node::Kind::list);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(mark, anchor, Node::Kind::map);
    }
    void OnMapEnd() override { close(); }

private:
    struct Anchored {
        Node node;
        size_t nodes;
    };
    struct Level {
        Node::Kind kind;
        YAML::Mark mark;
        YAML::anchor_t anchor;
        size_t nodes = 1;
        std::vector<Node> items;
        std::vector<Node::Entry> entries;
        std::vector<Node> merged;         // the values of "<<"
        std::map<std::string, int> keys;  // with their lines
        bool has_key = false;
        bool key_is_merge = false;
        std::string key;
        Place key_place;
    };

    [[noreturn]] void refuse(const YAML::Mark& mark, std::string message) {
        throw Refused{yaml_error(file_, mark, std::move(message))};
    }
    Place place(const YAML::Mark& mark) const { return Place::in_file(file_, mark.line + 1); }
    bool expects_key() const {
        return !levels_.empty() && levels_.back().kind == Node::Kind::map && !levels_.back().has_key;
    }

    void count(const YAML::Mark& mark, size_t nodes) {
        nodes_ += nodes;
        if (nodes_ > kNodesMax) refuse(mark, "too many values (aliases counted): the limit is 1,000,000");
    }

    void open(const YAML::Mark& mark, YAML::anchor_t anchor, Node::Kind kind) {
        if (expects_key()) refuse(mark, "a key must be text, not a list or a map");
        if (levels_.size() >= kDepthMax) refuse(mark, "nested too deep: the limit is 64 levels");
        count(mark, 1);
        levels_.push_back(Level{kind, mark, anchor, 1, {}, {}, {}, {}, false, false, {}, {}});
    }

    void close() {
        Level level = std::move(levels_.back());
        levels_.pop_back();
        for (const Node& merged : level.merged) merge_into(level, merged);
        Node node = level.kind == Node::Kind::list ? Node::list(std::move(level.items), place(level.mark))
                                                   : Node::map(std::move(level.entries), place(level.mark));
        add(std::move(node), level.mark, level.anchor, level.nodes);
    }

    // "<<: *base": keys that the map has itself win (yaml.org, "Merge Key Language-Independent Type").
    void merge_into(Level& level, const Node& merged) {
        if (merged.is_list()) {
            for (const Node& item : merged.items()) merge_into(level, item);
            return;
        }
        if (!merged.is_map()) refuse(level.mark, "<< takes a map or a list of maps");
        for (const auto& entry : merged.entries()) {
            if (level.keys.emplace(entry.key, entry.key_place.line).second) level.entries.push_back(entry);
        }
    }

    void add(Node node, const YAML::Mark& mark, YAML::anchor_t anchor, size_t nodes) {
        if (anchor != 0) anchors_[anchor] = Anchored{node, nodes};
        if (levels_.empty()) {
            root_ = std::move(node);
            return;
        }
        Level& level = levels_.back();
        level.nodes += nodes;
        if (level.kind == Node::Kind::list) {
            level.items.push_back(std::move(node));
        } else if (!level.has_key) {
            take_key(level, node, mark);
        } else if (level.key_is_merge) {
            level.merged.push_back(std::move(node));
            level.has_key = false;
        } else {
            level.entries.push_back({std::move(level.key), std::move(level.key_place), std::move(node)});
            level.has_key = false;
        }
    }

    void take_key(Level& level, const Node& node, const YAML::Mark& mark) {
        if (!node.is_scalar()) refuse(mark, "a key must be text");
        const auto [known, is_new] = level.keys.emplace(node.text(), mark.line + 1);
        if (!is_new) {
            refuse(mark, "key given twice: " + known->first + "; first in line " + std::to_string(known->second));
        }
        level.key = node.text();
        level.key_place = place(mark);
        level.key_is_merge = node.text() == "<<" && !node.is_quoted();
        level.has_key = true;
    }

    std::string file_;
    std::vector<Level> levels_;
    std::map<YAML::anchor_t, Anchored> anchors_;
    size_t nodes_ = 0;
    Node root_;
};

bool is_json_number(std::string_view text) {
    const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
    if (digits.empty() || digits[0] < '0' || digits[0] > '9') return false;
    if (digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9') return false;
    if (digits.back() == '.' || digits.find(".e") != digits.npos || digits.find(".E") != digits.npos) return false;
    double value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
}

void append_json_string(std::string_view text, std::string& out) {
    out += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            std::array<char, 8> escaped{};
            std::snprintf(escaped.data(), escaped.size(), "\\u%04x", static_cast<unsigned>(c));
            out += escaped.data();
        } else {
            out += c;
        }
    }
    out += '"';
}

void append_node_json(const Node& node, std::string& out) {
    const char* separator = "";
    switch (node.kind()) {
        case Node::Kind::null: out += "null"; return;
        case Node::Kind::scalar:
            if (!node.is_quoted() && (node.text() == "true" || node.text() == "false" || is_json_number(node.text()))) {
                out += node.text();
            } else {
                append_json_string(node.text(), out);
            }
            return;
        case Node::Kind::list:
            out += '[';
            for (const Node& item : node.items()) {
                out += std::exchange(separator, ",");
                append_node_json(item, out);
            }
            out += ']';
            return;
        case Node::Kind::map:
            out += '{';
            for (const auto& entry : node.entries()) {
                out += std::exchange(separator, ",");
                append_json_string(entry.key, out);
                out += ':';
                append_node_json(entry.value, out);
            }
            out += '}';
            return;
    }
}

int line_of_invalid_utf8(std::string_view text) {
    int line = 1;
    for (const auto part : split(text, '\n')) {
        if (!is_valid_utf8(part)) return line;
        ++line;
    }
    return 0;
}

}  // namespace

Node Node::null(Place place) {
    Node node;
    node.state_ = std::make_shared<const State>(State{Kind::null, std::move(place), {}, false, {}, {}});
    return node;
}

Node Node::scalar(std::string text, bool quoted, Place place) {
    Node node;
    node.state_ = std::make_shared<const State>(State{Kind::scalar, std::move(place), std::move(text), quoted, {}, {}});
    return node;
}

Node Node::list(std::vector<Node> items, Place place) {
    Node node;
    node.state_ = std::make_shared<const State>(State{Kind::list, std::move(place), {}, false, std::move(items), {}});
    return node;
}

Node Node::map(std::vector<Entry> entries, Place place) {
    Node node;
    node.state_ = std::make_shared<const State>(State{Kind::map, std::move(place), {}, false, {}, std::move(entries)});
    return node;
}

Result<Node> Node::parse_yaml(std::string_view text, const std::string& file) {
    if (const int line = line_of_invalid_utf8(text); line > 0) {
        return Error(ErrorKind::invalid_config, "not valid UTF-8: save the file as UTF-8")
            .at(Place::in_file(file, line));
    }
    try {
        std::istringstream in{std::string(text)};
        YAML::Parser parser(in);
        NodeHandler handler(file);
        if (!parser.HandleNextDocument(handler)) return null(Place::in_file(file, 1));
        Node root = handler.take_root();
        return root.place().empty() ? null(Place::in_file(file, 1)) : root;
    } catch (const Refused& refused) {
        return refused.error;
    } catch (const YAML::Exception& exception) {
        return yaml_error(file, exception.mark, "not valid YAML: " + exception.msg);
    } catch (const std::exception& exception) {
        return Error(ErrorKind::invalid_config, std::string("not valid YAML: ") + exception.what())
            .at(Place::in_file(file, 0));
    }
}

Result<Node> Node::load_yaml(const std::string& path, const std::string& shown_as) {
    std::ifstream in(path, std::ios::binary);
    std::string text;
    std::array<char, 1 << 16> part{};
    while (in && text.size() <= kFileBytesMax) {
        in.read(part.data(), part.size());
        text.append(part.data(), static_cast<size_t>(in.gcount()));
    }
    if (!in.eof()) {
        const std::string why = text.size() > kFileBytesMax ? "it is larger than 16 MB" : std::strerror(errno);
        return Error(ErrorKind::invalid_config, "cannot read the file: " + why).at(Place::in_file(shown_as, 0));
    }
    return parse_yaml(text, shown_as);
}

Node::Kind Node::kind() const { return state_ == nullptr ? Kind::null : state_->kind; }

const Place& Node::place() const {
    static const Place kNowhere;
    return state_ == nullptr ? kNowhere : state_->place;
}

const std::string& Node::text() const {
    static const std::string kNone;
    return state_ == nullptr ? kNone : state_->text;
}

bool Node::is_quoted() const { return state_ != nullptr && state_->quoted; }

const std::vector<Node>& Node::items() const {
    static const std::vector<Node> kNone;
    return state_ == nullptr ? kNone : state_->items;
}

const std::vector<Node::Entry>& Node::entries() const {
    static const std::vector<Entry> kNone;
    return state_ == nullptr ? kNone : state_->entries;
}

const Node& Node::operator[](std::string_view key) const {
    static const Node kNone;
    for (const auto& entry : entries()) {
        if (entry.key == key) return entry.value;
    }
    return kNone;
}

bool Node::has(std::string_view key) const {
    for (const auto& entry : entries()) {
        if (entry.key == key) return true;
    }
    return false;
}

const Place& Node::place_of_key(std::string_view key) const {
    for (const auto& entry : entries()) {
        if (entry.key == key) return entry.key_place;
    }
    return place();
}

std::string Node::to_json() const {
    std::string out;
    append_node_json(*this, out);
    return out;
}

}  // namespace shaduf
