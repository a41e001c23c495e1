#include "server/openapi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

namespace shaduf::server {
namespace {

class OpenApiTest : public testing::Test {
protected:
    // All references in a value.
    static void collect(const nlohmann::json& value, std::set<std::string>& references) {
        if (value.is_object() && value.contains("$ref")) references.insert(value["$ref"].get<std::string>());
        for (const auto& item : value) {
            if (item.is_structured()) collect(item, references);
        }
    }
    const Registry<ApiSpec> groups = builtin_apis();
    const nlohmann::json api = nlohmann::json::parse(openapi_of(groups, "1.2.3"));
};

TEST_F(OpenApiTest, EachReferenceLeadsSomewhere) {
    std::set<std::string> references;
    collect(api, references);
    EXPECT_GT(references.size(), 10U);
    for (const std::string& reference : references) {
        ASSERT_EQ(reference.substr(0, 2), "#/");
        EXPECT_TRUE(api.contains(nlohmann::json::json_pointer(reference.substr(1)))) << reference;
    }
}

TEST_F(OpenApiTest, IdsAreOfOneCallEach) {
    std::set<std::string> ids;
    size_t operations = 0;
    for (const auto& [path, methods] : api["paths"].items()) {
        for (const auto& [method, operation] : methods.items()) {
            ++operations;
            ids.insert(operation["operationId"].get<std::string>());
            EXPECT_FALSE(operation["summary"].get<std::string>().empty()) << path;
            size_t braces = 0;
            for (const char c : path) braces += c == '{' ? 1 : 0;
            size_t in_path = 0;
            for (const auto& parameter : operation["parameters"]) in_path += parameter["in"] == "path" ? 1 : 0;
            EXPECT_EQ(in_path, braces) << path;
        }
    }
    EXPECT_EQ(ids.size(), operations);
    EXPECT_EQ(api["openapi"], "3.1.0");
    EXPECT_EQ(api["info"]["version"], "1.2.3");
}

TEST_F(OpenApiTest, ShapesOfOneNameAreOneShape) {
    std::map<std::string, const Shape*, std::less<>> known;
    std::vector<const Shape*> left;
    for (const ApiSpec* group : groups.all()) {
        for (const EndpointSpec& spec : group->endpoints) {
            for (const Shape* shape : {spec.request, spec.response}) {
                if (shape != nullptr) left.push_back(shape);
            }
        }
    }
    std::set<const Shape*> seen;
    while (!left.empty()) {
        const Shape* shape = left.back();
        left.pop_back();
        if (!seen.insert(shape).second) continue;
        if (!shape->name.empty()) {
            const auto [at, is_new] = known.emplace(shape->name, shape);
            const bool is_same = is_new || at->second->fields.size() == shape->fields.size();
            EXPECT_TRUE(is_same) << "two shapes are called " << shape->name;
        }
        for (const ShapeField& field : shape->fields) left.push_back(field.shape);
        if (shape->of != nullptr) left.push_back(shape->of);
    }
    EXPECT_GT(known.size(), 10U);
}

TEST_F(OpenApiTest, ChangesAreAudited) {
    for (const ApiSpec* group : groups.all()) {
        for (const EndpointSpec& spec : group->endpoints) {
            const bool is_sign_in = spec.id == "signIn";  // which writes its own lines
            // Reaching a system with what the project has, or is about to have, changes nothing.
            const bool only_asks =
                spec.id == "testConnection" || spec.id == "discoverStreams" || spec.id == "previewStream";
            const bool only_reads = spec.method == "GET" || spec.role == Role::viewer || only_asks;
            EXPECT_TRUE(only_reads || is_sign_in || !spec.audited.empty()) << spec.id;
        }
    }
}

}  // namespace
}  // namespace shaduf::server
