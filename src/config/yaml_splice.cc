#include "config/yaml_splice.h"

#include <algorithm>

#include "base/text.h"
#include "config/yaml_edit_model.h"
#include "config/yaml_text.h"

namespace shaduf {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

class Splicer {
public:
    Splicer(std::string_view text, std::string file, const YamlPiece& root)
        : text_(text), file_(std::move(file)), style_(style_of(text, root)) {}

    Result<void> set(const YamlSpot& spot, const YamlEdit& edit) {
        if (spot.depth == edit.path.size()) return replace_value(spot, edit.value);
        Node below = edit.value;
        for (size_t i = edit.path.size(); i-- > spot.depth + 1;) below = Node::map({{edit.path[i], {}, below}}, {});
        const std::string& key = edit.path[spot.depth];
        if (spot.piece->kind == YamlPiece::Kind::map) return add_entry(spot, key, below);
        if (spot.piece->kind == YamlPiece::Kind::null) {
            return replace_value(spot, Node::map({{key, {}, std::move(below)}}, {}));
        }
        return refuse(*spot.piece, "no such item: " + key + "; add one to the list");
    }

    Result<void> add(const YamlSpot& spot, const YamlEdit& edit) {
        if (spot.depth < edit.path.size()) return set(spot, edit);
        if (spot.piece->kind != YamlPiece::Kind::list) {
            return refuse(*spot.piece, "is there already: " + join(edit.path, "."));
        }
        return add_item(spot, edit.value);
    }

    Result<void> remove(const YamlSpot& spot, const YamlEdit& edit) {
        if (spot.depth < edit.path.size()) return missing(spot, edit);
        if (spot.parent == nullptr) return refuse(*spot.piece, "the whole file cannot be removed here");
        const YamlPiece& parent = *spot.parent;
        const bool is_list = parent.kind == YamlPiece::Kind::list;
        const size_t count = is_list ? parent.items.size() : parent.entries.size();
        if (parent.is_flow) return remove_in_flow(parent, spot.index, count);
        if (count == 1) return refuse(parent, "cannot be emptied");  // see splice_yaml
        const size_t start = TRY(start_of(parent, spot.index));
        const size_t end = spot.piece->end;
        if (is_first_of_line(start)) {
            cut_lines(start, end);
            return {};
        }
        if (spot.index + 1 == count) return refuse(parent, "cannot be removed by itself; edit the text");
        const size_t next = TRY(start_of(parent, spot.index + 1));
        const size_t line = end_of_line(end);
        if (has_comment(line, next)) return refuse(parent, "a comment stands behind it; edit the text");
        cut(start, next, "");
        return {};
    }

    Result<void> rename(const YamlSpot& spot, const YamlEdit& edit) {
        if (spot.depth < edit.path.size()) return missing(spot, edit);
        if (spot.parent == nullptr || spot.parent->kind != YamlPiece::Kind::map || !edit.value.is_scalar()) {
            return refuse(*spot.piece, "only a key can be renamed: " + join(edit.path, "."));
        }
        if (spot.parent->find(edit.value.text()) != nullptr) {
            return refuse(*spot.piece, "is there already: " + edit.value.text());
        }
        const YamlPiece& key = spot.parent->entries[spot.index].key;
        cut(key.body, key.end, key_text(edit.value.text(), key.style, spot.in_flow));
        return {};
    }

    std::string result() {
        // From the end, so that the places before stay; of two at one place, what was added first comes first.
        std::stable_sort(cuts_.begin(), cuts_.end(), [](const Cut& a, const Cut& b) { return a.start < b.start; });
        std::string out(text_);
        for (size_t i = cuts_.size(); i-- > 0;)
            out.replace(cuts_[i].start, cuts_[i].end - cuts_[i].start, cuts_[i].text);
        return out;
    }

private:
    struct Cut {
        size_t start;
        size_t end;
        std::string text;
    };
    void cut(size_t start, size_t end, std::string text) { cuts_.push_back({start, end, std::move(text)}); }

    Error refuse(const YamlPiece& piece, const std::string& what) const {
        return Error(ErrorKind::invalid_config, what).at(Place::in_file(file_, piece.line));
    }
    Error missing(const YamlSpot& spot, const YamlEdit& edit) const {
        if (spot.piece->find("<<") != nullptr) {
            return refuse(*spot.piece, "comes by << if it is there at all: " + join(edit.path, ".") +
                                           "; change it where its anchor stands");
        }
        return refuse(*spot.piece, "not found: " + join(edit.path, "."));
    }

    size_t start_of_line(size_t at) const {
        const size_t before = at == 0 ? std::string_view::npos : text_.rfind('\n', at - 1);
        return before == std::string_view::npos ? (text_.starts_with("\xEF\xBB\xBF") ? 3 : 0) : before + 1;
    }
    // Where the line's end begins.
    size_t end_of_line(size_t at) const {
        const size_t end = text_.find('\n', at);
        if (end == std::string_view::npos) return text_.size();
        return end > at && text_[end - 1] == '\r' ? end - 1 : end;
    }
    size_t column(size_t at) const { return at - start_of_line(at); }
    bool is_first_of_line(size_t at) const {
        const auto before = text_.substr(start_of_line(at), at - start_of_line(at));
        return std::all_of(before.begin(), before.end(), is_blank);
    }
    bool has_comment(size_t from, size_t to) const { return text_.substr(from, to - from).find('#') != text_.npos; }
    bool is_one_line(size_t from, size_t to) const {
        return text_.substr(from, to - from).find('\n') == std::string_view::npos;
    }

    std::string key_text(const std::string& key, YamlPiece::Style like, bool in_flow) const {
        return scalar_text(Node::scalar(key, true, {}), style_, like, in_flow);
    }

    // Behind the anchor and tag in the line of `piece`, or at its start.
    size_t end_of_properties(const YamlPiece& piece) const {
        size_t at = piece.start;
        for (size_t end = at; end < piece.body && (text_[end] == '&' || text_[end] == '!');) {
            while (end < piece.body && !is_blank(text_[end]) && text_[end] != '\n' && text_[end] != '\r') ++end;
            at = end;
            while (end < piece.body && is_blank(text_[end])) ++end;
        }
        return at;
    }

    Result<void> replace_value(const YamlSpot& spot, const Node& value) {
        const YamlPiece& piece = *spot.piece;
        const bool is_entry = spot.parent != nullptr && spot.parent->kind == YamlPiece::Kind::map;
        if (spot.in_flow) return replace_in_flow(spot, value, is_entry);
        if (spot.parent == nullptr) return replace_root(piece, value);
        if (!is_entry) {
            replace_item(piece, value);
            return {};
        }
        const YamlEntry& entry = spot.parent->entries[spot.index];
        if (entry.colon == std::string::npos) return refuse(piece, "is written with a '?'; edit the text");
        YamlValueText made = text_below_key(value, style_, column(entry.key.start));
        if (value.is_scalar() && piece.kind == YamlPiece::Kind::scalar && made.lines.empty()) {
            made.in_line = scalar_text(value, style_, piece.style, false);
        }
        if (piece.is_block()) {
            const size_t at = piece.start == piece.body ? entry.colon + 1 : end_of_properties(piece);
            if (!made.in_line.empty()) cut(at, at, " " + made.in_line);
            cut(end_of_line(at), end_of_line(piece.end), made.lines);
            return {};
        }
        replace_inline(piece, made);
        return {};
    }

    // A value that stands in the line of its key.
    void replace_inline(const YamlPiece& piece, const YamlValueText& made) {
        if (piece.style == YamlPiece::Style::block) {
            cut(piece.body, piece.end, made.in_line + made.lines);
            return;
        }
        const bool is_there = piece.body < piece.end;
        size_t start = piece.body;
        while (is_there && made.in_line.empty() && is_blank(text_[start - 1])) --start;
        cut(start, piece.end, !is_there && !made.in_line.empty() ? " " + made.in_line : made.in_line);
        const size_t line = end_of_line(piece.end);
        if (!made.lines.empty()) cut(line, line, made.lines);
    }

    void replace_item(const YamlPiece& piece, const Node& value) {
        const bool is_there = piece.body < piece.end;
        const size_t at = column(piece.body) + (is_there ? 0 : 1);
        YamlValueText made = block_text(value, style_, at, true);
        if (value.is_scalar() && piece.kind == YamlPiece::Kind::scalar && made.lines.empty()) {
            made.in_line = scalar_text(value, style_, piece.style, false);
        }
        if (piece.is_block()) {
            cut(piece.body, end_of_line(piece.end), made.in_line + made.lines);
        } else {
            replace_inline(piece, made);
        }
    }

    Result<void> replace_root(const YamlPiece& piece, const Node& value) {
        const YamlValueText made = block_text(value, style_, 0, true);
        const std::string whole = made.in_line + made.lines;
        if (piece.body < piece.end) {
            cut(piece.body, piece.end, whole);
            return {};
        }
        if (text_.find("\n...") != text_.npos || text_.starts_with("...")) {
            return refuse(piece, "the document has an end and no value; edit the text");
        }
        const bool needs_line = !text_.empty() && text_.back() != '\n' && text_ != "\xEF\xBB\xBF";
        cut(text_.size(), text_.size(), (needs_line ? style_.newline : "") + whole + style_.newline);
        return {};
    }

    Result<void> replace_in_flow(const YamlSpot& spot, const Node& value, bool is_entry) {
        const YamlPiece& piece = *spot.piece;
        std::string made = flow_text(value, style_);
        if (value.is_scalar() && piece.kind == YamlPiece::Kind::scalar) {
            made = scalar_text(value, style_, piece.style, true);
        }
        if (piece.body < piece.end) {
            cut(piece.body, piece.end, made);
            return {};
        }
        const bool has_colon = !is_entry || spot.parent->entries[spot.index].colon != std::string::npos;
        cut(piece.end, piece.end, (has_colon ? " " : ": ") + made);
        return {};
    }

    Result<void> add_entry(const YamlSpot& spot, const std::string& key, const Node& value) {
        const YamlPiece& map = *spot.piece;
        if (map.is_flow) {
            const auto like = map.entries.empty() ? YamlPiece::Style::plain : map.entries.back().key.style;
            return add_in_flow(map, '{', map.entries.empty() ? 0 : map.entries.back().value.end,
                               key_text(key, like, true) + ": " + flow_text(value, style_));
        }
        const size_t at = column(map.body);
        const YamlValueText made = text_below_key(value, style_, at);
        const auto like = map.entries.front().key.style;
        const std::string line = std::string(at, ' ') + key_text(key, like, false) + ":" +
                                 (made.in_line.empty() ? "" : " " + made.in_line) + made.lines;
        add_line(map, line);
        return {};
    }

    Result<void> add_item(const YamlSpot& spot, const Node& value) {
        const YamlPiece& list = *spot.piece;
        if (list.is_flow && list.items.empty() && !spot.in_flow && (value.is_map() || value.is_list())) {
            return replace_value(spot, Node::list({value}, {}));
        }
        if (list.is_flow) {
            const std::string made = flow_text(value, style_);
            return add_in_flow(list, '[', list.items.empty() ? 0 : list.items.back().end, made);
        }
        const size_t at = column(list.body);
        const YamlValueText made = block_text(value, style_, at + 2, true);
        add_line(list, std::string(at, ' ') + "- " + made.in_line + made.lines);
        return {};
    }

    void add_line(const YamlPiece& behind, const std::string& line) {
        const size_t at = end_of_line(behind.end);
        cut(at, at, style_.newline + line);
    }

    Result<void> add_in_flow(const YamlPiece& piece, char bracket, size_t end_of_last, const std::string& made) {
        if (text_[piece.body] != bracket) return refuse(piece, "is written without brackets; edit the text");
        if (end_of_last > 0) {
            cut(end_of_last, end_of_last, ", " + made);
            return {};
        }
        const bool is_blank_inside = is_one_line(piece.body, piece.end) && !has_comment(piece.body, piece.end);
        cut(piece.body + 1, is_blank_inside ? piece.end - 1 : piece.body + 1, made);
        return {};
    }

    Result<void> remove_in_flow(const YamlPiece& parent, size_t index, size_t count) {
        if (text_[parent.body] != '{' && text_[parent.body] != '[') {
            return refuse(parent, "is written without brackets; edit the text");
        }
        const auto start_at = [&](size_t i) {
            return parent.kind == YamlPiece::Kind::list ? parent.items[i].start : parent.entries[i].key.start;
        };
        const auto end_at = [&](size_t i) {
            return parent.kind == YamlPiece::Kind::list ? parent.items[i].end : parent.entries[i].value.end;
        };
        size_t from = start_at(index), to = end_at(index);
        if (index + 1 < count) {
            to = start_at(index + 1);
        } else if (index > 0) {
            from = end_at(index - 1);
        } else {
            from = parent.body + 1;
            to = parent.end - 1;
        }
        if (has_comment(from, start_at(index)) || has_comment(end_at(index), to)) {
            return refuse(parent, "a comment stands beside it; edit the text");
        }
        cut(from, to, "");
        return {};
    }

    // Where an entry's key stands, or an item's dash.
    Result<size_t> start_of(const YamlPiece& parent, size_t index) const {
        if (parent.kind == YamlPiece::Kind::map) {
            const YamlEntry& entry = parent.entries[index];
            if (entry.colon == std::string::npos) return refuse(entry.key, "is written with a '?'; edit the text");
            return entry.key.start;
        }
        size_t at = parent.items[index].start;
        while (at > 0 && (is_blank(text_[at - 1]) || text_[at - 1] == '\n' || text_[at - 1] == '\r')) --at;
        if (at == 0 || text_[at - 1] != '-' || column(at - 1) != column(parent.body)) {
            return refuse(parent, "an item stands apart from its dash; edit the text");
        }
        return at - 1;
    }

    void cut_lines(size_t start, size_t end) {
        size_t from = start_of_line(start);
        size_t to = text_.find('\n', end);
        to = to == std::string_view::npos ? text_.size() : to + 1;
        // The last line of a text without a line's end behind it takes the one before.
        if (to == text_.size() && text_.back() != '\n' && from > 0) {
            --from;
            if (from > 0 && text_[from - 1] == '\r') --from;
        }
        cut(from, to, "");
    }

    const std::string_view text_;
    const std::string file_;
    const YamlStyle style_;
    std::vector<Cut> cuts_;
};

}  // namespace

Result<std::string> splice_yaml(std::string_view text, const std::string& file, YamlPiece& root, const YamlEdit& edit) {
    YamlSpot spot = TRY(find_spot(root, file, edit.path));
    Splicer splicer(text, file, root);
    switch (edit.op) {
        case YamlEdit::Op::set: TRY(splicer.set(spot, edit)); break;
        case YamlEdit::Op::add: TRY(splicer.add(spot, edit)); break;
        case YamlEdit::Op::rename: TRY(splicer.rename(spot, edit)); break;
        case YamlEdit::Op::remove: {
            const bool is_last = spot.depth == edit.path.size() && spot.parent != nullptr && spot.parent->is_block() &&
                                 spot.parent->items.size() + spot.parent->entries.size() == 1;
            if (!is_last) {
                TRY(splicer.remove(spot, edit));
                break;
            }
            // A map without its last key is an empty map, which only brackets say.
            const bool is_list = spot.parent->kind == YamlPiece::Kind::list;
            const Node empty = is_list ? Node::list({}, {}) : Node::map({}, {});
            std::vector<std::string> path = edit.path;
            path.pop_back();
            const YamlSpot parent = TRY(find_spot(root, file, path));
            TRY(splicer.set(parent, {YamlEdit::Op::set, path, empty}));
            break;
        }
    }
    return splicer.result();
}

}  // namespace shaduf
