#include "pipeline/json_edit.h"

#include "base/text.h"
#include "data/json_cursor.h"

namespace shaduf {
namespace {

// Bytes that a JsonCursor may read behind the end.
constexpr size_t kPadding = 32;

class Editor {
public:
    using Edits = std::vector<JsonEdit*>;

    Editor(std::string_view text, std::string_view in_the_way) : cursor_(text), in_the_way_(in_the_way) {}

    std::optional<std::string> edit(const Edits& edits) {
        cursor_.skip_space();
        if (cursor_.at_end() || cursor_.peek() != '{' || !edit_object(edits, 0)) return std::nullopt;
        cursor_.skip_space();
        if (!cursor_.finish()) return std::nullopt;
        return std::move(out_);
    }

private:
    bool edit_object(const Edits& edits, size_t depth) {
        bool closed = false;
        if (!cursor_.enter('}', closed)) return false;
        const bool empty = closed;
        out_ += '{';
        is_first_ = true;
        while (!closed) {
            if (!edit_member(edits, depth) || !cursor_.next_item('}', closed)) return false;
        }
        if (!empty) cursor_.leave();
        out_ += '}';
        is_first_ = false;
        return true;
    }

    bool edit_member(const Edits& edits, size_t depth) {
        const char* begin = cursor_.at();
        std::string_view read;
        if (!cursor_.read_key(read)) return false;
        const std::string key(read);
        const std::string_view key_text = cursor_.since(begin);
        Edits inside;
        JsonEdit* here = nullptr;
        for (JsonEdit* edit : edits) {
            const std::string& wanted = edit->path[depth];
            if (wanted != key && !(edit->in_any_case && equals_ignoring_case(wanted, key))) continue;
            if (edit->path.size() > depth + 1) {
                inside.push_back(edit);
            } else {
                here = edit;
            }
        }
        if (here == nullptr && !inside.empty() && cursor_.peek() == '{') {
            append(key_text, "");
            return edit_object(inside, depth + 1);
        }
        const bool is_null = cursor_.peek() == 'n';
        const char* value = cursor_.at();
        if (!cursor_.skip_value()) return false;
        if (here != nullptr && (!is_null || !here->replacement)) {
            here->was_met = !is_null;
            if (here->replacement) append(key_text, *here->replacement);
        } else if (!inside.empty() && !is_null) {
            for (JsonEdit* edit : inside) edit->was_blocked = true;
            append(key_text, in_the_way_);
        } else {
            append(key_text, cursor_.since(value));
        }
        return true;
    }

    void append(std::string_view key, std::string_view value) {
        if (!is_first_) out_ += ", ";
        is_first_ = false;
        out_.append(key).append(value);
    }

    JsonCursor cursor_;
    const std::string_view in_the_way_;
    std::string out_;
    bool is_first_ = true;
};

}  // namespace

std::optional<std::string> edit_json(std::string_view text, std::vector<JsonEdit>& edits, std::string_view in_the_way) {
    const std::string padded = std::string(text) + std::string(kPadding, '\0');
    Editor::Edits wanted;
    for (auto& edit : edits) wanted.push_back(&edit);
    return Editor(std::string_view(padded).substr(0, text.size()), in_the_way).edit(wanted);
}

}  // namespace shaduf
