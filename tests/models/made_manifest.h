#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/context/services.h"
#include "models/manifest.h"
#include "models/yaml/value.h"
#include "tests/models/project_folder.h"
#include "tests/world.h"

namespace shaduf::models {

// A manifest that is made in code, resource by resource, all in the package "shop".
class MadeManifest {
public:
    Node& node(ResourceType type, const std::string& path, std::vector<std::string> reads = {},
               const std::string& settings = "{}") {
        auto node = std::make_unique<Node>();
        const size_t slash = path.rfind('/');
        node->type = type;
        node->package = "shop";
        node->name = node->alias = path.substr(slash + 1);
        node->schema = "main";
        node->unique_id = std::string(to_string(type)) + ".shop." + node->name;
        node->fqn = {"shop"};
        for (size_t begin = 0; begin <= path.size();) {
            const size_t end = std::min(path.find('/', begin), path.size());
            node->fqn.push_back(path.substr(begin, end - begin));
            begin = end + 1;
        }
        node->place.path = path + ".sql";
        node->place.original_path = "models/" + path + ".sql";
        node->raw_code = "select 1";
        node->depends_on_nodes = std::move(reads);
        const jinja::Value value = value_of_yaml(settings).value();
        node->config = NodeConfig(type, jinja::Ref<jinja::Dict>(&value.dict()));
        return *manifest.nodes.emplace_back(std::move(node));
    }
    Node& model(const std::string& path, std::vector<std::string> reads = {}, const std::string& settings = "{}") {
        for (std::string& read : reads) {
            if (read.find('.') == std::string::npos) read = "model.shop." + read;
        }
        return node(ResourceType::model, path, std::move(reads), settings);
    }
    // A generic test of some models.
    Node& test(const std::string& name, const std::string& kind, std::vector<std::string> models) {
        for (std::string& model : models) model = "model.shop." + model;
        Node& test = node(ResourceType::test, name, models);
        test.test = TestMetadata{};
        test.test->name = kind;
        return test;
    }
    SourceTable& source(const std::string& source_name, const std::string& name) {
        auto source = std::make_unique<SourceTable>();
        source->package = "shop";
        source->source_name = source_name;
        source->name = source->identifier = name;
        source->schema = source_name;
        source->unique_id = "source.shop." + source_name + "." + name;
        source->fqn = {"shop", source_name, name};
        source->place.path = source->place.original_path = "models/sources.yml";
        source->config = NodeConfig(ResourceType::source, jinja::make<jinja::Dict>());
        return *manifest.sources.emplace_back(std::move(source));
    }
    Declaration& exposure(const std::string& name, std::vector<std::string> reads) {
        auto exposure = std::make_unique<Declaration>();
        exposure->type = ResourceType::exposure;
        exposure->package = "shop";
        exposure->name = name;
        exposure->unique_id = "exposure.shop." + name;
        exposure->fqn = {"shop", name};
        exposure->place.path = exposure->place.original_path = "models/exposures.yml";
        exposure->properties = value_of_yaml("{type: dashboard, owner: {name: Ann}, extra: 1}").value();
        exposure->depends_on_nodes = std::move(reads);
        return *manifest.declarations.emplace_back(std::move(exposure));
    }
    UnitTest& unit_test(const std::string& name, const std::string& model) {
        auto test = std::make_unique<UnitTest>();
        test->package = "shop";
        test->name = name;
        test->model = model;
        test->unique_id = "unit_test.shop." + model + "." + name;
        test->fqn = {"shop", model, name};
        test->place.path = test->place.original_path = "models/unit.yml";
        test->config = NodeConfig(ResourceType::unit_test, jinja::make<jinja::Dict>());
        test->depends_on_nodes = {"model.shop." + model};
        return *manifest.unit_tests.emplace_back(std::move(test));
    }
    const Manifest& done() {
        manifest.root_package = "shop";
        const auto by_id = [](const auto& a, const auto& b) { return a->unique_id < b->unique_id; };
        std::sort(manifest.nodes.begin(), manifest.nodes.end(), by_id);
        manifest.index();
        return manifest;
    }

    Manifest manifest;
};

// What templates of a command have in common, of a project that is only a folder.
class BareServices {
public:
    explicit BareServices(const Manifest& manifest) {
        Target target;
        target.type = "duckdb";
        target.project_root = folder.at("");
        const jinja::Value output = value_of_yaml("{type: duckdb, path: ':memory:'}").value();
        target.output = jinja::Ref<jinja::Dict>(&output.dict());
        auto made = builtin_adapters().find("duckdb")->make(target);
        EXPECT_TRUE(made.ok());
        adapter = made.release_value();
        services = std::unique_ptr<ContextServices>(new ContextServices{.run = world.run,
                                                                        .adapter = *adapter,
                                                                        .relations = relations,
                                                                        .vars = vars,
                                                                        .messages = messages,
                                                                        .macros = manifest.macro_index,
                                                                        .manifest = manifest});
        services->root_package = "shop";
        services->project_root = folder.at("");
        services->invocation_id = "some-id";
        services->run_started_at = jinja::Value("2026-01-02 03:04:05.000006+00:00");
        services->flags = jinja::make<jinja::Dict>();
        services->flags->set("STORE_FAILURES", false);
    }

    ProjectFolder folder;
    World world;
    RelationCache relations;
    std::unique_ptr<Adapter> adapter;
    std::unique_ptr<ContextServices> services;

private:
    class NoVars final : public VarLookup {
        std::optional<jinja::Value> find(std::string_view, std::string_view) const override { return std::nullopt; }
    };
    class NoMessages final : public MessageSink {
        void message(Level, const std::string&) override {}
        void print(const std::string&) override {}
    };
    NoVars vars;
    NoMessages messages;
};

}  // namespace shaduf::models
