#include "config/yaml_edit.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "config/yaml_edit_model.h"
#include "config/yaml_splice.h"

// An edit is made twice: on the bytes (yaml_splice) and on what they mean (yaml_edit_model). Only when the bytes, read
// by the parser that reads projects, mean the same as the other, the edit is given out.
namespace shaduf {
namespace {

constexpr size_t kTextBytesMax = 4 << 20;

Error refuse(const std::string& file, int line, const std::string& what) {
    return Error(ErrorKind::invalid_config, what).at(Place::in_file(file, line));
}

std::string path_text(const YamlEdit& edit) { return edit.path.empty() ? "(the whole)" : join(edit.path, "."); }

bool is_simple(const YamlPiece& piece) {
    return piece.kind == YamlPiece::Kind::scalar || piece.kind == YamlPiece::Kind::null;
}

// Smaller edits that make the same of a map or a list, and leave alone what stays.
class Divider {
public:
    explicit Divider(std::vector<YamlEdit>& out) : out_(out) {}

    void divide(const YamlPiece* piece, const std::vector<std::string>& path, const Node& value) {
        if (piece != nullptr && is_simple(*piece) && is_same_scalar(*piece, value)) return;
        if (piece != nullptr && piece->kind == YamlPiece::Kind::map && value.is_map() &&
            divide_map(*piece, path, value))
            return;
        if (piece != nullptr && piece->kind == YamlPiece::Kind::list && value.is_list() &&
            divide_list(*piece, path, value))
            return;
        out_.push_back({YamlEdit::Op::set, path, value});
    }

private:
    static std::vector<std::string> below(std::vector<std::string> path, std::string name) {
        path.push_back(std::move(name));
        return path;
    }
    static bool is_same_scalar(const YamlPiece& piece, const Node& value) {
        if (piece.kind == YamlPiece::Kind::null) return value.is_null();
        return value.is_scalar() &&
               mean_same(Node::scalar(piece.text, piece.style != YamlPiece::Style::plain || !piece.tag.empty(), {}),
                         value);
    }
    bool divide_map(const YamlPiece& piece, const std::vector<std::string>& path, const Node& value) {
        const bool keeps_any = std::any_of(piece.entries.begin(), piece.entries.end(),
                                           [&](const YamlEntry& entry) { return value.has(entry.key.text); });
        if (piece.find("<<") != nullptr) return false;
        if (!keeps_any && !(piece.entries.empty() && value.entries().empty())) return false;
        for (const Node::Entry& entry : value.entries()) {
            const YamlEntry* known = piece.find(entry.key);
            divide(known == nullptr ? nullptr : &known->value, below(path, entry.key), entry.value);
        }
        for (const YamlEntry& entry : piece.entries) {
            if (!value.has(entry.key.text)) out_.push_back({YamlEdit::Op::remove, below(path, entry.key.text), {}});
        }
        return true;
    }
    bool divide_list(const YamlPiece& piece, const std::vector<std::string>& path, const Node& value) {
        const size_t known = piece.items.size();
        if (value.items().size() < known) return remove_items(piece, path, value);
        if (known == 0 && !value.items().empty()) return false;
        for (size_t i = 0; i < value.items().size(); ++i) {
            if (i < known) {
                divide(&piece.items[i], below(path, std::to_string(i)), value.items()[i]);
            } else {
                out_.push_back({YamlEdit::Op::add, path, value.items()[i]});
            }
        }
        return true;
    }
    // Where the items that are left stand there in their order.
    bool remove_items(const YamlPiece& piece, const std::vector<std::string>& path, const Node& value) {
        std::vector<size_t> gone;
        size_t next = 0;
        for (size_t i = 0; i < piece.items.size(); ++i) {
            const auto meaning = meaning_of(piece.items[i]);
            const bool stays =
                meaning.ok() && next < value.items().size() && mean_same(meaning.value(), value.items()[next]);
            stays ? void(++next) : gone.push_back(i);
        }
        if (next != value.items().size()) return false;
        for (size_t i = gone.size(); i-- > 0;) {
            out_.push_back({YamlEdit::Op::remove, below(path, std::to_string(gone[i])), {}});
        }
        return true;
    }

    std::vector<YamlEdit>& out_;
};

size_t count_aliases(const YamlPiece& piece, const std::string& anchor) {
    size_t count = piece.kind == YamlPiece::Kind::alias && piece.text == anchor ? 1 : 0;
    for (const YamlPiece& item : piece.items) count += count_aliases(item, anchor);
    for (const YamlEntry& entry : piece.entries) count += count_aliases(entry.value, anchor);
    return count;
}

// Anchors on the way of the edit: who refers to them changes too.
void note_shared(const YamlPiece& root, const YamlEdit& edit, std::vector<std::string>& notes) {
    const YamlPiece* piece = &root;
    for (size_t depth = 0; piece != nullptr; ++depth) {
        const size_t uses = piece->anchor.empty() ? 0 : count_aliases(root, piece->anchor);
        if (uses > 0) {
            const std::string note = path_text(edit) + " is part of &" + piece->anchor + ", which " +
                                     std::to_string(uses) + (uses == 1 ? " other place uses" : " other places use") +
                                     ": it changes there as well";
            if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(note);
        }
        piece = depth < edit.path.size() ? child_of(*piece, edit.path[depth]) : nullptr;
    }
}

// One edit that touches one place.
Result<std::string> apply(const std::string& text, const std::string& file, const YamlEdit& edit,
                          std::vector<std::string>& notes) {
    YamlLayout layout = TRY(read_yaml_layout(text, file));
    if (layout.documents > 1) return refuse(file, 1, "the file has more than one document; edit the text");
    std::string out = TRY(splice_yaml(text, file, layout.root, edit));
    note_shared(layout.root, edit, notes);
    TRY(change_piece(layout.root, file, edit));
    const auto expected = meaning_of(layout.root);
    if (!expected.ok()) return refuse(file, 0, path_text(edit) + ": " + expected.error().message());
    const auto found = Node::parse_yaml(out, file);
    if (!found.ok() || !mean_same(found.value(), expected.value())) {
        return refuse(file, layout.root.line,
                      "cannot be changed without touching the text around it: " + path_text(edit) + "; edit the text");
    }
    return out;
}

}  // namespace

bool mean_same(const Node& a, const Node& b) {
    if (a.kind() != b.kind()) return false;
    if (a.is_scalar()) return a.to_json() == b.to_json();
    if (a.is_list()) {
        return std::equal(a.items().begin(), a.items().end(), b.items().begin(), b.items().end(), mean_same);
    }
    if (a.entries().size() != b.entries().size()) return false;
    return std::all_of(a.entries().begin(), a.entries().end(), [&](const Node::Entry& entry) {
        return b.has(entry.key) && mean_same(entry.value, b[entry.key]);
    });
}

Result<YamlEdited> edit_yaml(std::string_view text, const std::string& file, std::span<const YamlEdit> edits) {
    if (text.size() > kTextBytesMax) return Error(ErrorKind::too_large, "the file is larger than 4 MB; edit the text");
    YamlEdited edited{std::string(text), {}};
    const Node before = TRY(Node::parse_yaml(text, file));
    const YamlLayout layout = TRY(read_yaml_layout(text, file));
    const auto meaning = meaning_of(layout.root);
    if (!meaning.ok() || !mean_same(before, meaning.value())) {
        return refuse(file, 0, "the file uses a form of YAML that cannot be edited by field; edit the text");
    }
    for (const YamlEdit& edit : edits) {
        std::vector<YamlEdit> steps;
        if (edit.op == YamlEdit::Op::set) {
            const YamlLayout now = TRY(read_yaml_layout(edited.text, file));
            const YamlPiece* piece = &now.root;
            for (const std::string& part : edit.path) piece = piece == nullptr ? nullptr : child_of(*piece, part);
            Divider(steps).divide(piece, edit.path, edit.value);
        } else {
            steps.push_back(edit);
        }
        for (const YamlEdit& step : steps) edited.text = TRY(apply(edited.text, file, step, edited.notes));
    }
    return edited;
}

}  // namespace shaduf
