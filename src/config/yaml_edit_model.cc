#include "config/yaml_edit_model.h"

#include <charconv>

#include "base/text.h"

namespace shaduf {
namespace {

Error refuse(const std::string& file, int line, const std::string& what) {
    return Error(ErrorKind::invalid_config, what).at(Place::in_file(file, line));
}

YamlPiece piece_of(const Node& node) {
    YamlPiece piece;
    switch (node.kind()) {
        case Node::Kind::null: break;
        case Node::Kind::scalar:
            piece.kind = YamlPiece::Kind::scalar;
            piece.text = node.text();
            piece.style = node.is_quoted() ? YamlPiece::Style::double_quoted : YamlPiece::Style::plain;
            break;
        case Node::Kind::list:
            piece.kind = YamlPiece::Kind::list;
            for (const Node& item : node.items()) piece.items.push_back(piece_of(item));
            break;
        case Node::Kind::map:
            piece.kind = YamlPiece::Kind::map;
            for (const Node::Entry& entry : node.entries()) {
                YamlEntry made;
                made.key.kind = YamlPiece::Kind::scalar;
                made.key.text = entry.key;
                made.key.style = YamlPiece::Style::double_quoted;
                made.value = piece_of(entry.value);
                piece.entries.push_back(std::move(made));
            }
            break;
    }
    return piece;
}

// The value with the maps that lead to it.
Node wrap(const std::vector<std::string>& path, size_t from, Node value) {
    for (size_t i = path.size(); i-- > from;) value = Node::map({{path[i], {}, std::move(value)}}, {});
    return value;
}

// What is there is replaced; its anchor stays, whose aliases change as well.
void replace(YamlPiece& piece, const Node& value) {
    const std::string anchor = piece.anchor;
    piece = piece_of(value);
    piece.anchor = anchor;
}

Result<void> set_value(YamlSpot spot, const std::string& file, const YamlEdit& edit) {
    if (spot.depth == edit.path.size()) {
        replace(*spot.piece, edit.value);
        return {};
    }
    const Node below = wrap(edit.path, spot.depth + 1, edit.value);
    if (spot.piece->kind == YamlPiece::Kind::map) {
        YamlPiece made = piece_of(Node::map({{edit.path[spot.depth], {}, below}}, {}));
        spot.piece->entries.push_back(std::move(made.entries.front()));
        return {};
    }
    if (spot.piece->kind == YamlPiece::Kind::null) {
        replace(*spot.piece, Node::map({{edit.path[spot.depth], {}, below}}, {}));
        return {};
    }
    return refuse(file, spot.piece->line, "no such item: " + edit.path[spot.depth] + "; add one to the list");
}

Result<void> remove(YamlSpot spot) {
    YamlPiece& parent = *spot.parent;
    const auto at = static_cast<ptrdiff_t>(spot.index);
    if (parent.kind == YamlPiece::Kind::list) {
        parent.items.erase(parent.items.begin() + at);
    } else {
        parent.entries.erase(parent.entries.begin() + at);
    }
    return {};
}

}  // namespace

std::optional<size_t> index_of(std::string_view part, size_t size) {
    size_t index = 0;
    const auto parsed = std::from_chars(part.data(), part.data() + part.size(), index);
    if (parsed.ec != std::errc{} || parsed.ptr != part.data() + part.size() || index >= size) return std::nullopt;
    return index;
}

const YamlPiece* child_of(const YamlPiece& piece, std::string_view part) {
    if (piece.kind == YamlPiece::Kind::map) {
        const YamlEntry* entry = piece.find(part);
        return entry == nullptr ? nullptr : &entry->value;
    }
    const auto index = piece.kind == YamlPiece::Kind::list ? index_of(part, piece.items.size()) : std::nullopt;
    return index ? &piece.items[*index] : nullptr;
}

Result<YamlSpot> find_spot(YamlPiece& root, const std::string& file, const std::vector<std::string>& path) {
    YamlSpot spot;
    spot.piece = &root;
    for (; spot.depth < path.size(); ++spot.depth) {
        YamlPiece& piece = *spot.piece;
        const std::string& part = path[spot.depth];
        if (piece.kind == YamlPiece::Kind::alias) {
            return refuse(
                file, piece.line,
                "comes from &" + piece.text + ": " + join(path, ".") + "; change it where that anchor stands");
        }
        if (piece.kind == YamlPiece::Kind::scalar) {
            return refuse(file, piece.line, "is a single value, not a map: what " + part + " should stand in");
        }
        const YamlPiece* child = child_of(piece, part);
        if (child == nullptr) return spot;
        spot.parent = &piece;
        spot.in_flow = spot.in_flow || piece.is_flow;
        spot.index = piece.kind == YamlPiece::Kind::list ? *index_of(part, piece.items.size())
                                                         : static_cast<size_t>(piece.find(part) - piece.entries.data());
        spot.piece = piece.kind == YamlPiece::Kind::list ? &piece.items[spot.index] : &piece.entries[spot.index].value;
    }
    return spot;
}

Result<void> change_piece(YamlPiece& root, const std::string& file, const YamlEdit& edit) {
    const YamlSpot spot = TRY(find_spot(root, file, edit.path));
    switch (edit.op) {
        case YamlEdit::Op::set: return set_value(spot, file, edit);
        case YamlEdit::Op::add:
            if (spot.depth == edit.path.size()) {
                spot.piece->items.push_back(piece_of(edit.value));
                return {};
            }
            return set_value(spot, file, edit);
        case YamlEdit::Op::remove: return remove(spot);
        case YamlEdit::Op::rename:
            spot.parent->entries[spot.index].key.text = edit.value.text();
            spot.parent->entries[spot.index].key.style = YamlPiece::Style::double_quoted;
            return {};
    }
    return {};
}

}  // namespace shaduf
