#include "config/observe_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "config/project.h"
#include "tests/world.h"

namespace shaduf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class ObserveConfigTest : public testing::Test {
protected:
    std::vector<Error> read(const std::string& observe) {
        std::ofstream(folder / "shaduf.yml") << "name: acme\nenvironments: {dev: {default: true}}\n" << observe;
        ProjectRequest request;
        request.folder = folder.path().string();
        ProjectWorld world;
        world.variable = [](const std::string& name) {
            return name == "TOKEN" ? std::optional<std::string>("t0k") : std::nullopt;
        };
        world.connector = [](std::string_view) { return std::optional<ConnectorFields>(); };
        project = {};
        return load_project(request, world, project);
    }
    TempFolder folder;
    Project project;
};

TEST_F(ObserveConfigTest, NobodyIsToldUnlessNamed) {
    ASSERT_THAT(read(""), IsEmpty());
    const auto config = read_observe_config(project).release_value();
    EXPECT_EQ(config.openlineage.url, "");
    EXPECT_EQ(config.otlp.endpoint, "");
}

TEST_F(ObserveConfigTest, ReferencesAreReplaced) {
    ASSERT_THAT(read("observe:\n  openlineage: {url: \"http://a:1\", token: \"${env:TOKEN}\"}\n"
                     "  otlp: {endpoint: \"http://b:2\", headers: {key: \"x-${env:TOKEN}\"}}\n"),
                IsEmpty());
    const auto config = read_observe_config(project).release_value();
    EXPECT_EQ(config.openlineage.url, "http://a:1");
    EXPECT_EQ(config.openlineage.name_space, "acme") << "the project's name";
    EXPECT_EQ(config.openlineage.token, "t0k");
    EXPECT_EQ(config.otlp.endpoint, "http://b:2");
    EXPECT_THAT(config.otlp.headers, ElementsAre(Pair("key", "x-t0k")));
}

TEST_F(ObserveConfigTest, WhatIsWrongIsSaidWithItsLine) {
    const struct {
        const char* text;
        const char* message;
    } kCases[] = {
        {"observe:\n  openlinage: {url: x}\n", "shaduf.yml:4: unknown key: openlinage; did you mean openlineage?"},
        {"observe:\n  openlineage: {token: x}\n", "url"},
        {"observe:\n  otlp: {endpoint: x, headers: 3}\n", "headers"},
        {"observe:\n  openlineage: {url: x, token: \"${env:NOBODY}\"}\n", "NOBODY"},
    };
    for (const auto& [text, message] : kCases) {
        SCOPED_TRACE(text);
        const auto errors = read(text);
        ASSERT_FALSE(errors.empty());
        EXPECT_THAT(errors.front().to_string(), HasSubstr(message));
    }
}

}  // namespace
}  // namespace shaduf
