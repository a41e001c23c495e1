#include "models/run/statement_error.h"

#include <algorithm>

#include "base/text.h"
#include "models/run/compiler.h"

namespace shaduf::models {
namespace {

constexpr size_t kExcerptCharsMax = 160;

// A place within a text: the bytes of its line, and the byte that is meant, if that is known.
struct Spot {
    size_t line_start = 0, line_end = 0;
    std::optional<size_t> at;
};

Spot spot_at(std::string_view text, size_t at) {
    Spot spot;
    const size_t before = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
    spot.line_start = before == std::string_view::npos ? 0 : before + 1;
    spot.line_end = std::min(text.find('\n', at), text.size());
    spot.at = at;
    return spot;
}

bool is_character_start(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

// The byte of the `index`th character, from 0, behind `from`.
size_t byte_of(std::string_view text, size_t from, size_t index) {
    size_t at = from;
    while (index > 0 && at < text.size()) {
        ++at;
        while (at < text.size() && !is_character_start(text[at])) ++at;
        --index;
    }
    return at;
}

size_t characters_of(std::string_view text) {
    return static_cast<size_t>(std::count_if(text.begin(), text.end(), is_character_start));
}

// nullopt: the text has not that many lines.
std::optional<size_t> start_of_line(std::string_view text, size_t line) {
    size_t start = 0;
    for (size_t i = 1; i < line; ++i) {
        start = text.find('\n', start);
        if (start == std::string_view::npos) return std::nullopt;
        ++start;
    }
    return start;
}

// The only place of a part in a text.
std::optional<size_t> only_place_of(std::string_view part, std::string_view text) {
    const size_t first = part.empty() ? std::string_view::npos : text.find(part);
    if (first == std::string_view::npos || text.find(part, first + 1) != std::string_view::npos) return std::nullopt;
    return first;
}

// Engines count the lines of a script from its beginning or from that of the statement: its words decide.
std::optional<Spot> find_spot(std::string_view sql, const TextPoint& point) {
    if (point.line == 0) {
        return point.column == 0 ? std::optional<Spot>() : spot_at(sql, byte_of(sql, 0, point.column - 1));
    }
    std::optional<size_t> fragment;
    if (const auto start = start_of_line(sql, point.line)) {
        const std::string_view line = sql.substr(*start, sql.find('\n', *start) - *start);
        const size_t within = line.find(point.fragment);
        if (within != std::string_view::npos) fragment = *start + within;
    }
    if (!fragment) fragment = only_place_of(point.fragment, sql);
    if (!fragment) return std::nullopt;
    Spot spot = spot_at(sql, point.column == 0 ? *fragment : byte_of(sql, *fragment, point.column - 1));
    if (point.column == 0) spot.at = std::nullopt;
    return spot;
}

size_t line_number(std::string_view text, size_t at) {
    return 1 + static_cast<size_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

// The line with its number, and the caret below; of a long line, what surrounds the caret.
std::string excerpt(std::string_view text, const Spot& spot) {
    std::string_view line = text.substr(spot.line_start, spot.line_end - spot.line_start);
    size_t at = spot.at.value_or(spot.line_start) - spot.line_start;
    std::string dots_before, dots_behind;
    if (characters_of(line.substr(0, at)) > kExcerptCharsMax / 2) {
        const size_t cut = byte_of(line, 0, characters_of(line.substr(0, at)) - kExcerptCharsMax / 2);
        line.remove_prefix(cut);
        at -= cut;
        dots_before = "...";
    }
    if (characters_of(line) > kExcerptCharsMax) {
        line = line.substr(0, byte_of(line, 0, kExcerptCharsMax));
        dots_behind = "...";
    }
    const std::string number = std::to_string(line_number(text, spot.line_start));
    std::string shown = "      " + number + " | " + dots_before + std::string(line) + dots_behind;
    if (!spot.at) return shown;
    std::string indent = dots_before.empty() ? "" : "   ";
    for (const char c : line.substr(0, at)) {
        if (is_character_start(c)) indent += c == '\t' ? '\t' : ' ';
    }
    return shown + "\n      " + std::string(number.size(), ' ') + " | " + indent + "^";
}

// "path:line:column" and the excerpt.
std::string shown_in(const std::string& path, std::string_view text, const Spot& spot) {
    std::string place = path + ":" + std::to_string(line_number(text, spot.line_start));
    if (spot.at) {
        place += ":" + std::to_string(characters_of(text.substr(spot.line_start, *spot.at - spot.line_start)) + 1);
    }
    return "\n    --> " + place + "\n" + excerpt(text, spot);
}

// The same spot in a file whose text is a part of the statement.
std::optional<Spot> spot_within(const StatementFile& file, std::string_view sql, const Spot& spot) {
    const std::string_view part = trim(file.text);
    const size_t begin = part.empty() ? std::string_view::npos : sql.find(part);
    if (begin == std::string_view::npos) return std::nullopt;
    const size_t at = spot.at.value_or(spot.line_start);
    if (at < begin || at >= begin + part.size()) return std::nullopt;
    const auto shift = static_cast<size_t>(part.data() - file.text.data());
    Spot found = spot_at(file.text, at - begin + shift);
    if (!spot.at) found.at = std::nullopt;
    return found;
}

// The line of a template that has the line of the SQL, word for word; 0: none, or several.
size_t template_line(std::string_view code, std::string_view sql, const Spot& spot) {
    const std::string_view line = trim(sql.substr(spot.line_start, spot.line_end - spot.line_start));
    if (!only_place_of(line, sql)) return 0;
    const auto at = only_place_of(line, code);
    return at ? line_number(code, *at) : 0;
}

// The macros on the way, the innermost first, a line each.
std::string told_macros(const Error& error) {
    std::string told;
    const bool is_in_macro = error.cause() && error.cause()->message().starts_with("in macro");
    if (!is_in_macro && !error.place().file.empty()) {
        told += "\n    in " + error.place().file + ":" + std::to_string(error.place().line);
    }
    for (auto cause = error.cause(); cause; cause = cause->cause()) told += "\n    " + cause->message();
    return told;
}

}  // namespace

StatementOrigin origin_of(const ContextServices& services, const Node& node, const NodeRun& run) {
    const bool is_file = node.type == ResourceType::model || node.type == ResourceType::analysis ||
                         (node.type == ResourceType::test && !node.test);
    StatementOrigin origin = {.file = node.place.original_path, .code = is_file ? node.raw_code : ""};
    if (!is_file && node.type != ResourceType::operation) origin.line = node.place.line;
    const bool has_compiled = !run.compiled_code.empty() && node.type != ResourceType::snapshot;
    const std::string batch = run.batch ? run.batch->name : "";
    if (has_compiled) origin.files.push_back({compiled_path(services, node, batch), run.compiled_code});
    if (!run.build_path.empty()) origin.files.push_back({run.build_path, run.built_code});
    return origin;
}

Error statement_error(Error error, const NodeRun& run, const StatementOrigin& origin) {
    if (!run.refused || error.message() != run.refused->error.message()) return error;
    const std::string_view sql = run.refused->sql;
    const auto point = run.refused->error.point();
    const auto spot = point ? find_spot(sql, *point) : std::nullopt;
    std::string told = error.message();
    size_t line = 0;
    bool is_shown = false;
    for (const StatementFile& file : origin.files) {
        if (is_shown) break;
        if (!spot) {
            const bool holds = sql.find(trim(file.text)) != std::string_view::npos && !trim(file.text).empty();
            if (holds) told += "\n    --> " + file.path;
            is_shown = holds;
        } else if (const auto within = spot_within(file, sql, *spot)) {
            told += shown_in(file.path, file.text, *within);
            line = template_line(origin.code, file.text, *within);
            is_shown = true;
        }
    }
    if (!is_shown && spot) told += shown_in("statement", sql, *spot);
    told += told_macros(error);
    if (line == 0) line = origin.line;
    return Error(error.kind(), std::move(told)).at(Place::in_file(origin.file, static_cast<int>(line)));
}

}  // namespace shaduf::models
