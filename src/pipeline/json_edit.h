#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shaduf {

// What is done to one member of a JSON object, wherever its path leads through objects.
struct JsonEdit {
    std::vector<std::string> path;           // keys, outermost first
    std::optional<std::string> replacement;  // JSON; nullopt: the member goes
    bool in_any_case = false;                // keys count whatever their case
    // Found out by edit_json: it stood there and was not null; a value that is no object stood in its way.
    bool was_met = false;
    bool was_blocked = false;
};

// The object with its members changed, and all else letter for letter but for the space between members: numbers keep
// their digits. null stays null. A value that stands in the way of a path may hold what the path leads to, so it
// becomes `in_the_way` (JSON). nullopt when the text is not a valid JSON object.
std::optional<std::string> edit_json(std::string_view text, std::vector<JsonEdit>& edits, std::string_view in_the_way);

}  // namespace shaduf
