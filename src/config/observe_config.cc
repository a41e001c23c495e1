#include "config/observe_config.h"

#include "config/project.h"

namespace shaduf {
namespace {

constexpr FieldSpec kOpenLineageFields[] = {
    {.name = "url",
     .help = "The endpoint that events are posted to; /api/v1/lineage is added where it has no path.",
     .required = true,
     .example = "http://marquez:5000"},
    {.name = "namespace", .help = "Of jobs; the project's name unless given."},
    {.name = "token", .help = "Sent as a bearer token.", .secret = true},
};
constexpr FieldSpec kOtlpFields[] = {
    {.name = "endpoint",
     .help = "The base address of OTLP over HTTP; /v1/traces is added.",
     .required = true,
     .example = "http://collector:4318"},
    {.name = "headers", .type = FieldType::text_map, .help = "Headers of each request, such as a key.", .secret = true},
};

}  // namespace

const FieldSpec kObserveFields[2] = {
    {.name = "openlineage",
     .type = FieldType::object,
     .help = "Who is told of runs and their tables by OpenLineage events.",
     .children = kOpenLineageFields},
    {.name = "otlp",
     .type = FieldType::object,
     .help = "Who is told of runs as OpenTelemetry traces.",
     .children = kOtlpFields},
};

Result<ObserveConfig> read_observe_config(const Project& project) {
    const Node file = TRY(Node::load_yaml(project.folder + "/shaduf.yml", "shaduf.yml"));
    const Node& node = file["observe"];
    ObserveConfig config;
    if (node.is_null()) return config;
    Options options;
    const auto errors = Options::create(kObserveFields, node, project.resolve, options);
    if (!errors.empty()) return errors.front();
    if (options.has("openlineage")) {
        const Options& own = options.object("openlineage");
        config.openlineage = {own.text("url"), own.has("namespace") ? own.text("namespace") : project.name,
                              own.text("token")};
    }
    if (options.has("otlp")) {
        const Options& own = options.object("otlp");
        config.otlp = {own.text("endpoint"), own.text_map("headers")};
    }
    return config;
}

}  // namespace shaduf
