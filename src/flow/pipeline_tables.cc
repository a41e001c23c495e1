#include "flow/pipeline_tables.h"

#include <algorithm>

namespace shaduf {

std::string schema_of(const Project& project, const PipelineConfig& pipeline) {
    if (!pipeline.schema.empty()) return pipeline.schema;
    const ConnectionConfig* sink = project.connection(pipeline.sink);
    if (sink != nullptr && sink->type == "postgres") return sink->options.text("schema");
    return "main";
}

namespace {

void add_tables(const Project& project, const PipelineConfig& pipeline, std::vector<std::string>& tables) {
    if (pipeline.half == PipelineHalf::producer) return;
    const std::string schema = schema_of(project, pipeline);
    for (const StreamConfig& stream : pipeline.streams) tables.push_back(schema + "." + stream.table);
}

}  // namespace

std::vector<std::string> tables_of(const Project& project, std::string_view title) {
    std::vector<std::string> tables;
    for (const PipelineConfig* pipeline : project.pipelines_of(title)) add_tables(project, *pipeline, tables);
    return tables;
}

std::vector<std::string> tables_of_warehouse(const Project& project) {
    std::vector<std::string> tables;
    for (const std::string& title : project.pipeline_names) {
        for (const PipelineConfig* pipeline : project.pipelines_of(title)) {
            if (pipeline->sink == project.warehouse) add_tables(project, *pipeline, tables);
        }
    }
    return tables;
}

bool is_endless(const Project& project, std::string_view title) {
    for (const PipelineConfig* pipeline : project.pipelines_of(title)) {
        const auto& streams = pipeline->streams;
        if (std::any_of(streams.begin(), streams.end(),
                        [](const StreamConfig& stream) { return stream.mode == ReadMode::stream; })) {
            return true;
        }
    }
    return false;
}

}  // namespace shaduf
