#include "models/artifacts/manifest_json.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/time.h"
#include "io/crypto.h"
#include "models/artifacts/artifact_file.h"
#include "models/artifacts/manifest_fragments.h"
#include "models/artifacts/node_json.h"
#include "models/context/services.h"

namespace shaduf::models {
namespace {

using Edges = std::vector<std::pair<std::string_view, std::vector<std::string_view>>>;

// All that hangs together, in dbt's order: who, and what it reads.
std::vector<std::pair<std::string_view, const std::vector<std::string>*>> members_of(const Manifest& manifest) {
    static const std::vector<std::string> kNothing;
    std::vector<std::pair<std::string_view, const std::vector<std::string>*>> members;
    for (const auto& node : manifest.nodes) {
        const bool reads = node->type != ResourceType::seed;
        members.emplace_back(node->unique_id, reads ? &node->depends_on_nodes : &kNothing);
    }
    for (const auto& source : manifest.sources) members.emplace_back(source->unique_id, &kNothing);
    for (const ResourceType type :
         {ResourceType::exposure, ResourceType::metric, ResourceType::semantic_model, ResourceType::saved_query}) {
        for (const auto& declaration : manifest.declarations) {
            if (declaration->type == type) members.emplace_back(declaration->unique_id, &declaration->depends_on_nodes);
        }
    }
    for (const auto& test : manifest.unit_tests) members.emplace_back(test->unique_id, &test->depends_on_nodes);
    return members;
}

void write_edges(std::string_view key, Edges edges, JsonWriter& out) {
    out.key(key);
    out.begin_object();
    for (auto& [id, others] : edges) {
        std::sort(others.begin(), others.end());
        out.key(id);
        out.begin_list();
        for (const std::string_view other : others) out.text(other);
        out.end_list();
    }
    out.end_object();
}

class ManifestWriter {
public:
    ManifestWriter(const ContextServices& services, const std::vector<NodeResult>& results,
                   ManifestFragments& fragments, JsonWriter& out)
        : services_(services),
          manifest_(services.manifest),
          fragments_(fragments),
          out_(out),
          resources_(services, out) {
        for (const NodeResult& result : results) results_.emplace(result.unique_id, &result);
    }

    void write(const std::string& selectors) {
        out_.begin_object();
        write_metadata();
        // Sorted by their ids, functions stand together.
        const auto is_function = [](const auto& node) { return node->type == ResourceType::function; };
        const auto first = std::find_if(manifest_.nodes.begin(), manifest_.nodes.end(), is_function);
        const auto behind = std::find_if_not(first, manifest_.nodes.end(), is_function);
        out_.key("nodes");
        out_.begin_object();
        write_nodes({manifest_.nodes.begin(), first});
        write_nodes({behind, manifest_.nodes.end()});
        out_.end_object();
        write_all("sources", manifest_.sources);
        write_all("macros", manifest_.macros);
        write_all("docs", manifest_.docs);
        write_declarations("exposures", ResourceType::exposure);
        write_declarations("metrics", ResourceType::metric);
        write_all("groups", manifest_.groups);
        out_.key("selectors");
        out_.raw(selectors.empty() ? "{}" : selectors);
        write_disabled();
        write_maps();
        write_declarations("saved_queries", ResourceType::saved_query);
        write_declarations("semantic_models", ResourceType::semantic_model);
        write_all("unit_tests", manifest_.unit_tests);
        out_.key("functions");
        out_.begin_object();
        write_nodes({first, behind});
        out_.end_object();
        out_.end_object();
    }

private:
    using Nodes = std::span<const std::unique_ptr<Node>>;

    void write_nodes(Nodes nodes) {
        while (!nodes.empty()) nodes = nodes.subspan(write_first(nodes));
    }

    // How many. Most are as they were in the last file.
    size_t write_first(Nodes nodes) {
        const Node& node = *nodes.front();
        out_.key(node.unique_id);
        const uint64_t begin = out_.position();
        if (const auto result = results_.find(node.unique_id); result != results_.end()) {
            resources_.write(node, result->second);
            return 1;
        }
        const auto run = fragments_.run_of(results_.empty() ? nodes : nodes.first(1));
        if (run.nodes > 0) {
            out_.raw(run.text);
            fragments_.note_run(nodes.first(run.nodes), begin);
            return run.nodes;
        }
        resources_.write(node, nullptr);
        fragments_.note(node, begin, out_.position());
        return 1;
    }

    void write_metadata() {
        const ArtifactHead head = artifact_head(services_);
        out_.key("metadata");
        out_.begin_object();
        write_head(head, "manifest/v12", out_);
        out_.field("project_name", services_.root_package);
        out_.field("project_id", to_hex(md5(services_.root_package)));
        out_.none_field("user_id");
        out_.flag_field("send_anonymous_usage_stats", false);
        out_.field("adapter_type", services_.adapter.type());
        out_.key("quoting");
        out_.begin_object();
        out_.flag_field("database", services_.quoting.database);
        out_.flag_field("schema", services_.quoting.schema);
        out_.flag_field("identifier", services_.quoting.identifier);
        out_.none_field("column");
        out_.end_object();
        std::string started = format_timestamp(head.started_at);
        started.pop_back();
        out_.field("run_started_at", started + "+00:00");
        out_.end_object();
    }

    template <typename Resources>
    void write_all(std::string_view key, const Resources& all) {
        out_.key(key);
        out_.begin_object();
        for (const auto& resource : all) {
            out_.key(resource->unique_id);
            resources_.write(*resource);
        }
        out_.end_object();
    }

    void write_declarations(std::string_view key, ResourceType type) {
        out_.key(key);
        out_.begin_object();
        for (const auto& declaration : manifest_.declarations) {
            if (declaration->type != type) continue;
            out_.key(declaration->unique_id);
            resources_.write(*declaration);
        }
        out_.end_object();
    }

    // Several may share an id: the same model in two files, one of them disabled.
    void write_disabled() {
        out_.key("disabled");
        out_.begin_object();
        std::vector<std::string_view> order;
        std::unordered_map<std::string_view, std::vector<std::function<void()>>> by_id;
        const auto add = [&](const std::string& id, std::function<void()> write) {
            auto& writes = by_id[id];
            if (writes.empty()) order.push_back(id);
            writes.push_back(std::move(write));
        };
        for (const auto& node : manifest_.disabled)
            add(node->unique_id, [this, &node] { resources_.write(*node, nullptr); });
        for (const auto& source : manifest_.disabled_sources)
            add(source->unique_id, [this, &source] { resources_.write(*source); });
        for (const auto& declaration : manifest_.disabled_declarations)
            add(declaration->unique_id, [this, &declaration] { resources_.write(*declaration); });
        for (const std::string_view id : order) {
            out_.key(id);
            out_.begin_list();
            for (const auto& write : by_id[id]) write();
            out_.end_list();
        }
        out_.end_object();
    }

    void write_maps() {
        Edges parents, children;
        std::unordered_map<std::string_view, size_t> places;
        const auto members = members_of(manifest_);
        for (const auto& [id, reads] : members) {
            places.emplace(id, children.size());
            children.emplace_back(id, std::vector<std::string_view>());
            parents.emplace_back(id, std::vector<std::string_view>(reads->begin(), reads->end()));
        }
        for (const auto& [id, reads] : members) {
            for (const std::string& read : *reads) {
                const auto place = places.find(read);
                if (place != places.end()) children[place->second].second.push_back(id);
            }
        }
        write_edges("parent_map", std::move(parents), out_);
        write_edges("child_map", std::move(children), out_);
        write_groups();
    }

    void write_groups() {
        std::map<std::string_view, std::vector<std::string_view>> members;
        for (const auto& node : manifest_.nodes) {
            if (node->group) members[*node->group].push_back(node->unique_id);
        }
        out_.key("group_map");
        out_.begin_object();
        for (const auto& group : manifest_.groups) {
            out_.key(group->name);
            out_.begin_list();
            for (const std::string_view id : members[group->name]) out_.text(id);
            out_.end_list();
        }
        out_.end_object();
    }

    const ContextServices& services_;
    const Manifest& manifest_;
    ManifestFragments& fragments_;
    JsonWriter& out_;
    ResourceWriter resources_;
    std::unordered_map<std::string_view, const NodeResult*> results_;
};

}  // namespace

Result<void> write_manifest(const ContextServices& services, const std::vector<NodeResult>& results,
                            const std::string& selectors) {
    ManifestFragments fragments(services);
    TRY(write_artifact(artifact_path(services, "manifest.json"),
                       [&](JsonWriter& out) { ManifestWriter(services, results, fragments, out).write(selectors); }));
    fragments.save();
    return {};
}

Result<void> write_semantic_manifest(const ContextServices& services) {
    return write_artifact(artifact_path(services, "semantic_manifest.json"), [&](JsonWriter& out) {
        ResourceWriter resources(services, out);
        const auto write_list = [&](std::string_view key, ResourceType type) {
            out.key(key);
            out.begin_list();
            for (const auto& declaration : services.manifest.declarations) {
                if (declaration->type == type) resources.write(*declaration);
            }
            out.end_list();
        };
        out.begin_object();
        write_list("semantic_models", ResourceType::semantic_model);
        write_list("metrics", ResourceType::metric);
        out.key("project_configuration");
        out.raw(R"({"time_spine_table_configurations": [], "metadata": null, "dsi_package_version": )"
                R"({"major_version": "0", "minor_version": "9", "patch_version": "0"}, "time_spines": []})");
        write_list("saved_queries", ResourceType::saved_query);
        out.end_object();
    });
}

}  // namespace shaduf::models
