#include "sandbox/google_ads/row_json.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "data/batch.h"

namespace shaduf::sandbox::google_ads {
namespace {

void append_real(double value, std::string& out) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    out.append(text, end);
}

void append_text(std::string_view text, std::string& out) {
    // A message stands as it is: the getters write it.
    if (text.starts_with("{\""))
        out += text;
    else
        append_json_string(text, out);
}

// False: a value that proto3 JSON leaves out.
bool append_value(const Field& field, const Value& value, std::string& out) {
    if (const auto* text = std::get_if<std::string>(&value)) {
        if (text->empty()) return false;
        append_text(*text, out);
        return true;
    }
    if (const auto* whole = std::get_if<int64_t>(&value)) {
        if (*whole == 0) return false;
        const bool is_text = field.type == DataType::int64;
        out += (is_text ? "\"" : "") + std::to_string(*whole) + (is_text ? "\"" : "");
        return true;
    }
    if (const auto* real = std::get_if<double>(&value)) {
        if (*real == 0) return false;
        append_real(*real, out);
        return true;
    }
    if (const auto* flag = std::get_if<bool>(&value)) {
        if (*flag) out += "true";
        return *flag;
    }
    const auto* list = std::get_if<std::vector<std::string>>(&value);
    if (list == nullptr || list->empty()) return false;
    char separator = '[';
    for (const std::string& item : *list) {
        out += separator;
        separator = ',';
        append_text(item, out);
    }
    out += ']';
    return true;
}

}  // namespace

std::string camel_case(std::string_view name) {
    std::string text;
    for (size_t i = 0; i < name.size(); ++i) {
        if (name[i] != '_') {
            text += name[i];
        } else if (++i < name.size()) {
            text += static_cast<char>(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 'a' + 'A' : name[i]);
        }
    }
    return text;
}

RowWriter::RowWriter(const Gaql& gaql, const std::vector<FieldChange>& changes) {
    const auto omits = gaql.parameters.find("omit_unselected_resource_names");
    const bool names_all = omits == gaql.parameters.end() || omits->second != "true";
    std::vector<std::string> resources;
    if (names_all) resources.push_back(gaql.resource);
    for (const std::string& field : gaql.fields) {
        mask_ += (mask_.empty() ? "" : ",") + camel_case(field);
        const std::string resource = field.substr(0, field.find('.'));
        const bool is_name = field.ends_with(".resource_name");
        if ((names_all || is_name) && find_resource(resource) != nullptr) resources.push_back(resource);
        if (!is_name) node_at(field).field = find_field(field);
    }
    for (const std::string& resource : resources) {
        Node& node = node_at(resource);
        if (!node.children.empty() && node.children.front().key == "resourceName") continue;
        node.children.insert(node.children.begin(), Node{"resourceName", {}, nullptr, resource, ""});
    }
    for (const FieldChange& change : changes) {
        Node& node = node_at(change.field);
        if (change.kind == FieldChange::Kind::added) node.constant = change.value;
        if (change.kind == FieldChange::Kind::removed) node = Node{node.key, {}, nullptr, "", ""};
        if (change.kind == FieldChange::Kind::renamed) node.key = camel_case(change.value);
    }
}

RowWriter::Node& RowWriter::node_at(std::string_view path) {
    Node* at = &root_;
    for (const std::string_view part : split(path, '.')) {
        const std::string key = camel_case(part);
        auto found =
            std::find_if(at->children.begin(), at->children.end(), [&](const Node& n) { return n.key == key; });
        if (found == at->children.end()) {
            at->children.push_back(Node{key, {}, nullptr, "", ""});
            found = std::prev(at->children.end());
        }
        at = &*found;
    }
    return *at;
}

void RowWriter::write(const Row& row, std::string& out) const {
    const size_t begin = out.size();
    if (!write_node(root_, row, out)) out.replace(begin, std::string::npos, "{}");
}

// False, and nothing is written: there is nothing to say.
bool RowWriter::write_node(const Node& node, const Row& row, std::string& out) {
    if (!node.constant.empty()) {
        out += node.constant;
        return true;
    }
    if (!node.resource.empty()) {
        append_json_string(resource_name(node.resource, row), out);
        return true;
    }
    if (node.children.empty()) return node.field != nullptr && append_value(*node.field, node.field->get(row), out);
    const size_t begin = out.size();
    char separator = '{';
    for (const Node& child : node.children) {
        const size_t before = out.size();
        out += separator;
        append_json_string(child.key, out);
        out += ':';
        if (write_node(child, row, out))
            separator = ',';
        else
            out.resize(before);
    }
    if (out.size() == begin) return false;
    out += '}';
    return true;
}

}  // namespace shaduf::sandbox::google_ads
