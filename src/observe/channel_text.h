#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "observe/channel.h"

// What messages say, the same in every channel.
namespace shaduf::observe {

// "Failed: Flow orders failed, in task load", "Over: ...", "Still: ...", with the environment.
std::string headline_of(const AlertMessage& message);
// "acme, prod", "" when neither is known.
std::string origin_of(const AlertMessage& message);
// The whole message as plain text: headline, each matter with text, cause and advice, links.
std::string plain_text_of(const AlertMessage& message);
// "and 490 more", of those of which so many are shown; "" when all are.
std::string more_of(const AlertMessage& message, size_t shown);
std::string_view word_of(Severity severity);  // info, warning, error

// At most so many bytes, without cutting a character in two; what is cut ends with "...".
std::string shorten(std::string_view text, size_t bytes_max);
// One line: what breaks lines becomes a space.
std::string one_line(std::string_view text);
std::string escape_html(std::string_view text);

}  // namespace shaduf::observe
