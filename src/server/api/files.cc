#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json_writer.h"
#include "base/text.h"
#include "base/text_diff.h"
#include "base/time.h"
#include "config/yaml_edit.h"
#include "server/answers.h"
#include "server/endpoint.h"
#include "server/project/project_files.h"
#include "server/project/scratch_project.h"
#include "server/serve_context.h"

namespace shaduf::server {
namespace {

using Json = nlohmann::ordered_json;  // keys of an edit are written in the order that the caller gives

constexpr uint64_t kBodyBytesMax = 8 << 20;

constexpr ShapeField kFileFields[] = {
    {"path", &kText},
    {"kind", &kText, "project, pipeline, flow, model, seed or other"},
    {"size", &kInteger},
    {"changed_at", &kTime},
};
constexpr Shape kFile{.kind = ShapeKind::object, .name = "File", .fields = kFileFields};

constexpr ShapeField kTextFields[] = {
    {"path", &kText},         {"text", &kText},         {"sha", &kText, "SHA-256 of the text; what `base_sha` takes."},
    {"read_only", &kBoolean}, {"git", &kAny, "", true},
};
constexpr Shape kFileText{.kind = ShapeKind::object, .name = "FileText", .fields = kTextFields};

constexpr std::string_view kOps[] = {"set", "add", "remove", "rename"};
constexpr Shape kOp{.kind = ShapeKind::text, .choices = kOps};
constexpr ShapeField kEditFields[] = {
    {"path", &kTextList, "Keys, and indexes in lists."},
    {"op", &kOp},
    {"value", &kAny, "remove takes none; rename takes the new key.", true},
};
constexpr Shape kEdit{.kind = ShapeKind::object, .name = "FileEdit", .fields = kEditFields};
constexpr ShapeField kPatchFields[] = {
    {"base_sha", &kText, "Of the text that the edits are made for; none: the file is not there.", true},
    {"edits", &kListOf<kEdit>},
    {"dry_run", &kBoolean, "Nothing is written.", true},
    {"message", &kText, "For the audit log.", true},
};
constexpr Shape kPatch{.kind = ShapeKind::object, .name = "FilePatch", .fields = kPatchFields};
constexpr ShapeField kPutFields[] = {
    {"base_sha", &kText, "Of the text that is replaced; none: the file is new.", true},
    {"text", &kText},
    {"dry_run", &kBoolean, "Nothing is written.", true},
    {"message", &kText, "For the audit log.", true},
};
constexpr Shape kPut{.kind = ShapeKind::object, .name = "FilePut", .fields = kPutFields};

constexpr ShapeField kPlaceFields[] = {
    {"file", &kText}, {"line", &kInteger}, {"path", &kText, "", true}, {"message", &kText}};
constexpr Shape kPlace{.kind = ShapeKind::object, .name = "Place", .fields = kPlaceFields};
constexpr ShapeField kSavedFields[] = {
    {"text", &kText},
    {"diff", &kText, "Unified; empty: nothing changes."},
    {"sha", &kText, "Of the new text."},
    {"written", &kBoolean},
    {"errors", &kListOf<kPlace>, "Of the project as it is with the new text."},
    {"notes", &kTextList, "What changes beside the edits, by aliases."},
};
constexpr Shape kSaved{.kind = ShapeKind::object, .name = "FileSaved", .fields = kSavedFields};
constexpr ShapeField kCheckFields[] = {{"errors", &kListOf<kPlace>}};
constexpr Shape kCheck{.kind = ShapeKind::object, .name = "ProjectCheck", .fields = kCheckFields};

Result<ApiAnswer> list(ApiCall& call) {
    const auto files = TRY(ProjectFiles(call.serve.folder).list());
    JsonWriter json;
    json.begin_object().key("items").begin_array();
    for (const ProjectFiles::Info& file : files) {
        json.begin_object().field("path", file.path).field("kind", file.kind).field("size", file.size);
        json.field("changed_at", format_timestamp(file.changed_at)).end_object();
    }
    return ApiAnswer{.body = json.end_array().key("next").null().end_object().str()};
}

Result<ApiAnswer> show(ApiCall& call) {
    const std::string path = call.path["path"];
    const auto text = TRY(ProjectFiles(call.serve.folder).read(path));
    JsonWriter json;
    json.begin_object().field("path", path).field("text", make_valid_utf8(text.text)).field("sha", text.sha);
    write_flag(json, "read_only", text.read_only || !is_valid_utf8(text.text));
    return ApiAnswer{.body = json.key("git").null().end_object().str()};
}

// {"error", "current": {"text", "sha"}}: both sides, for the one who has to decide.
ApiAnswer conflict(const std::string& path, const std::optional<ProjectFiles::Text>& current) {
    JsonWriter json;
    json.begin_object().key("error").begin_object().field("kind", "conflict");
    json.field("message", "the file has changed since it was read: " + path + "; look at both");
    json.key("places").begin_array().end_array().end_object().key("current");
    if (current) {
        json.begin_object().field("text", current->text).field("sha", current->sha).end_object();
    } else {
        json.null();
    }
    return ApiAnswer{.status = 409, .body = json.end_object().str()};
}

struct Change {
    std::string path;
    std::optional<std::string> base_sha;
    std::string text;
    bool dry_run = false;
    std::vector<std::string> notes = {};
};

Result<ApiAnswer> save(ApiCall& call, const Change& change, const std::optional<ProjectFiles::Text>& before) {
    const auto errors = TRY(try_text(call.serve, change.path, change.text));
    if (!change.dry_run) {
        const ProjectFiles files(call.serve.folder);
        const auto written = files.write(change.path, change.base_sha, change.text);
        if (!written.ok() && written.error().kind() == ErrorKind::conflict) {
            auto now = files.read(change.path);
            return conflict(change.path, now.ok() ? std::optional(now.release_value()) : std::nullopt);
        }
        TRY(written);
        call.serve.room.reload();
    }
    JsonWriter json;
    json.begin_object().field("text", change.text);
    json.field("diff", unified_diff(before ? before->text : "", change.text, change.path));
    json.field("sha", ProjectFiles::sha_of(change.text));
    write_flag(json, "written", !change.dry_run);
    write_places(json, "errors", errors);
    write_texts(json, "notes", change.notes);
    return ApiAnswer{.body = json.end_object().str()};
}

// The text on disk; a conflict when it is not the one that the caller has seen.
Result<std::optional<ProjectFiles::Text>> text_on_disk(const ApiCall& call, const std::string& path) {
    if (!is_for_file(call.caller, path)) {
        return Error(ErrorKind::auth, "your role is for other folders: " + join(call.caller.folders, ", "));
    }
    auto found = ProjectFiles(call.serve.folder).read(path);
    if (!found.ok() && is_not_found(found.error())) return std::optional<ProjectFiles::Text>();
    if (!found.ok()) return found.error();
    return std::optional(found.release_value());
}

bool is_other(const std::optional<ProjectFiles::Text>& before, const std::optional<std::string>& base_sha) {
    return before.has_value() != base_sha.has_value() || (before && before->sha != *base_sha);
}

Change change_of(const ApiCall& call, const Json& body) {
    Change change;
    change.path = call.path.find("path")->second;
    if (body.contains("base_sha") && body["base_sha"].is_string()) change.base_sha = body["base_sha"];
    change.dry_run = body.value("dry_run", Json()) == true;
    return change;
}

Result<ApiAnswer> put(ApiCall& call) {
    const Json body = Json::parse(call.request.body);
    Change change = change_of(call, body);
    change.text = body["text"];
    const auto before = TRY(text_on_disk(call, change.path));
    if (is_other(before, change.base_sha)) return conflict(change.path, before);
    return save(call, change, before);
}

YamlEdit::Op op_of(const std::string& name) {
    if (name == "add") return YamlEdit::Op::add;
    if (name == "remove") return YamlEdit::Op::remove;
    return name == "rename" ? YamlEdit::Op::rename : YamlEdit::Op::set;
}

Result<ApiAnswer> patch(ApiCall& call) {
    const Json body = Json::parse(call.request.body);
    Change change = change_of(call, body);
    if (!change.path.ends_with(".yml") && !change.path.ends_with(".yaml")) {
        return Error(ErrorKind::invalid_config, "only YAML is edited by field: " + change.path);
    }
    const auto before = TRY(text_on_disk(call, change.path));
    if (is_other(before, change.base_sha)) return conflict(change.path, before);
    std::vector<YamlEdit> edits;
    for (const Json& given : body["edits"]) {
        YamlEdit edit;
        edit.op = op_of(given["op"]);
        edit.path = given["path"].get<std::vector<std::string>>();
        edit.value = TRY(Node::parse_yaml(given.value("value", Json()).dump(), "value"));
        edits.push_back(std::move(edit));
    }
    auto edited = TRY(edit_yaml(before ? before->text : "", change.path, edits));
    change.text = std::move(edited.text);
    change.notes = std::move(edited.notes);
    return save(call, change, before);
}

Result<ApiAnswer> check(ApiCall& call) {
    JsonWriter json;
    json.begin_object();
    write_places(json, "errors", call.serve.room.reload());
    return ApiAnswer{.body = json.end_object().str()};
}

constexpr EndpointSpec kEndpoints[] = {
    {.method = "GET",
     .path = "/api/v1/files",
     .id = "listFiles",
     .summary = "The files that make the project; never its secrets and variables.",
     .response = &kPageOf<kFile>,
     .handle = list},
    {.method = "GET",
     .path = "/api/v1/files/{path...}",
     .id = "getFile",
     .summary = "The text of a file.",
     .response = &kFileText,
     .handle = show},
    {.method = "PATCH",
     .path = "/api/v1/files/{path...}",
     .id = "editFile",
     .summary = "Changes values of a YAML file and no other byte of it.",
     .role = Role::editor,
     .request = &kPatch,
     .response = &kSaved,
     .handle = patch,
     .body_bytes_max = kBodyBytesMax,
     .audited = "file.edit"},
    {.method = "PUT",
     .path = "/api/v1/files/{path...}",
     .id = "putFile",
     .summary = "Writes a file, new or in place of the text that the caller has seen.",
     .role = Role::editor,
     .request = &kPut,
     .response = &kSaved,
     .handle = put,
     .body_bytes_max = kBodyBytesMax,
     .audited = "file.put"},
    {.method = "POST",
     .path = "/api/v1/check",
     .id = "checkProject",
     .summary = "Reads the project's files again, and says what is wrong with them.",
     .response = &kCheck,
     .handle = check},
};

}  // namespace
}  // namespace shaduf::server

namespace shaduf {

extern const server::ApiSpec api_files;
const server::ApiSpec api_files{.name = "files", .summary = "The project's files.", .endpoints = server::kEndpoints};

}  // namespace shaduf
