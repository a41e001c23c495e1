#include "cli/frame/field_docs.h"

#include "base/json_writer.h"
#include "cli/frame/table.h"

namespace shaduf {
namespace {

std::string_view type_name(FieldType type) {
    switch (type) {
        case FieldType::text: return "text";
        case FieldType::integer: return "integer";
        case FieldType::number: return "number";
        case FieldType::boolean: return "boolean";
        case FieldType::duration: return "duration";
        case FieldType::bytes: return "bytes";
        case FieldType::text_list: return "list of texts";
        case FieldType::text_map: return "map of texts";
        case FieldType::object: return "map";
        case FieldType::object_list: return "list of maps";
        case FieldType::object_map: return "map of maps";
        case FieldType::any: return "any";
        case FieldType::json: return "JSON";
    }
    return "any";
}

std::string default_text(const FieldSpec& field) {
    if (field.required) return "required";
    return std::string(field.default_value);
}

std::string help_text(const FieldSpec& field) {
    std::string text(field.help);
    const char* separator = " One of: ";
    for (const auto choice : field.choices) {
        text.append(separator).append(choice);
        separator = ", ";
    }
    if (!field.choices.empty()) text += ".";
    if (field.secret) text += " Secret.";
    if (!field.example.empty()) text.append(" Example: ").append(field.example);
    return text;
}

std::string child_prefix(const std::string& prefix, const FieldSpec& field) {
    const bool many = field.type == FieldType::object_list;
    const bool by_name = field.type == FieldType::object_map;
    return prefix + std::string(field.name) + (many ? "[]." : by_name ? ".NAME." : ".");
}

template <typename Each>
void walk(std::span<const FieldSpec> fields, const std::string& prefix, const Each& each) {
    for (const FieldSpec& field : fields) {
        each(prefix + std::string(field.name), field);
        walk(field.children, child_prefix(prefix, field), each);
    }
}

std::string escape_markdown(std::string text) {
    for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, "\\");
    return text;
}

}  // namespace

void print_fields(std::span<const FieldSpec> fields, std::ostream& out) {
    if (fields.empty()) return;
    Table table({{"option"}, {"type"}, {"default"}, {"is"}});
    walk(fields, "", [&](const std::string& name, const FieldSpec& field) {
        table.add_row({name, std::string(type_name(field.type)), default_text(field), help_text(field)});
    });
    table.print(out, 140);
}

void print_fields_markdown(std::string_view title, std::span<const FieldSpec> fields, std::ostream& out) {
    if (fields.empty()) return;
    out << "\n" << title << ":\n\n| option | type | default | is |\n| --- | --- | --- | --- |\n";
    walk(fields, "", [&](const std::string& name, const FieldSpec& field) {
        const std::string value = default_text(field);
        out << "| `" << name << "` | " << type_name(field.type) << " | "
            << (value.empty() || field.required ? value : "`" + value + "`") << " | "
            << escape_markdown(help_text(field)) << " |\n";
    });
}

void write_fields_json(std::span<const FieldSpec> fields, JsonWriter& json) {
    json.begin_array();
    for (const FieldSpec& field : fields) {
        json.begin_object().field("name", field.name).field("type", type_name(field.type)).field("help", field.help);
        json.key("required").boolean(field.required).key("secret").boolean(field.secret);
        if (!field.default_value.empty()) json.field("default", field.default_value);
        if (!field.example.empty()) json.field("example", field.example);
        if (!field.choices.empty()) {
            json.key("choices").begin_array();
            for (const auto choice : field.choices) json.text(choice);
            json.end_array();
        }
        if (!field.children.empty()) {
            json.key("fields");
            write_fields_json(field.children, json);
        }
        json.end_object();
    }
    json.end_array();
}

}  // namespace shaduf
