#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace shaduf {

// Reads the plain XML that S3 and its kin answer with: elements by name, in document order, entities undone. Not a
// parser: no namespaces, comments or CDATA, and an element must not contain one of its own name.

// The insides of every element `name`, still as written.
std::vector<std::string_view> xml_elements(std::string_view xml, std::string_view name);
// The text of the first element `name`; "" when there is none.
std::string xml_text(std::string_view xml, std::string_view name);
// The name of the outermost element; "" when there is none.
std::string_view xml_root(std::string_view xml);
// `text` with & < > " escaped.
std::string xml_escape(std::string_view text);

}  // namespace shaduf
