#pragma once

#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "../../world.h"
#include "../project_folder.h"
#include "models/adapter/adapter.h"
#include "models/command/console.h"
#include "models/command/invocation.h"

namespace shaduf::models {

// A dbt project on DuckDB of a few files, parsed: what tests of properties look at. No database is opened.
class ParsedProject {
public:
    ParsedProject() {
        folder_.write("profiles.yml",
                      "p: {target: dev, outputs: {dev: {type: duckdb, path: w.duckdb, schema: main}}}\n");
        folder_.write("dbt_project.yml", "name: shop\nversion: '1.0'\nconfig-version: 2\nprofile: p\n");
    }
    void write(std::string_view name, std::string_view text) const { folder_.write(name, text); }

    void parse() {
        const auto nothing = [](const std::string&) { return std::optional<std::string>(); };
        const std::vector<std::string> words = {"parse", "--project-dir", folder_.at(""), "--profiles-dir",
                                                folder_.at("")};
        const auto arguments = parse_dbt_arguments(words, nothing);
        ASSERT_TRUE(arguments.ok()) << arguments.error().to_string();
        auto opened = Invocation::open({.run = world_.run,
                                        .adapters = adapters_,
                                        .messages = console_,
                                        .environment = nothing,
                                        .working_folder = folder_.at(""),
                                        .home_folder = folder_.at("")},
                                       arguments.value());
        ASSERT_TRUE(opened.ok()) << opened.error().to_string();
        invocation_ = opened.release_value();
        const auto parsed = invocation_->parse(findings_);
        ASSERT_TRUE(parsed.ok()) << parsed.error().to_string();
    }

    const Manifest& manifest() const { return invocation_->manifest(); }
    const Node* node(std::string_view unique_id) const { return manifest().node(unique_id); }
    const Findings& findings() const { return findings_; }
    // Errors, or warnings, one a line.
    std::string errors() const { return lines(findings_.errors); }
    std::string warnings() const { return lines(findings_.warnings); }
    // The unique ids of all generic tests.
    std::vector<std::string> tests() const {
        std::vector<std::string> ids;
        for (const auto& node : manifest().nodes) {
            if (node->test) ids.push_back(node->unique_id);
        }
        return ids;
    }

private:
    std::string lines(const std::vector<Error>& errors) const {
        std::string all;
        for (const Error& error : errors) all += folder_.plain(error.to_string()) + "\n";
        return all;
    }

    ProjectFolder folder_;
    World world_;
    std::ostringstream out_, err_;
    Console console_{out_, err_};
    const Registry<AdapterSpec> adapters_ = builtin_adapters();
    std::unique_ptr<Invocation> invocation_;
    Findings findings_;
};

}  // namespace shaduf::models
