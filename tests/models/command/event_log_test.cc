#include "models/command/event_log.h"

#include <gtest/gtest.h>

#include <regex>

#include "tests/models/project_folder.h"

namespace shaduf::models {
namespace {

Event finished() {
    auto data = jinja::make<jinja::Dict>();
    data->set("status", "pass");
    return {"LogTestResult", "Q007", EventLevel::warn, "1 of 1 \"WARN\"", jinja::Value(data)};
}

TEST(EventLog, WritesEventsAsDbtsLinesOfJson) {
    EventLog log;
    log.set_invocation_id("an-id");
    const std::string line = log.json_line(finished());
    const std::regex shape(
        R"re(\{"data": \{"status": "pass"\}, "info": \{"category": "", "code": "Q007", "extra": \{\}, )re"
        R"re("invocation_id": "an-id", "level": "warn", "msg": "1 of 1 \\"WARN\\"", "name": "LogTestResult", )re"
        R"re("pid": \d+, "thread": "\w+", "ts": "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"\}\})re");
    EXPECT_TRUE(std::regex_match(line, shape)) << line;
    const std::string plain = log.json_line({"Note", "Z050", EventLevel::info, "so"});
    EXPECT_EQ(plain.substr(0, 24), R"({"data": {"msg": "so"}, )");
}

TEST(EventLog, KeepsOldFilesWhenOneIsFull) {
    const ProjectFolder folder;
    EventLog log;
    log.open(
        {.path = folder.at("logs/dbt.log"), .format = LogFormat::json, .level = EventLevel::warn, .bytes_max = 300});
    log.write({"Note", "Z050", EventLevel::info, "not of this level"});
    EXPECT_FALSE(std::filesystem::exists(folder.at("logs")));
    for (int i = 0; i < 8; ++i) log.write(finished());
    for (const char* name : {"dbt.log", "dbt.log.1", "dbt.log.5"}) {
        SCOPED_TRACE(name);
        EXPECT_NE(folder.read(std::string("logs/") + name).find("Q007"), std::string::npos);
    }
    EXPECT_FALSE(std::filesystem::exists(folder.at("logs/dbt.log.6")));
}

TEST(EventLog, WritesTextWithTimeLevelAndThread) {
    const ProjectFolder folder;
    EventLog log;
    log.open({.path = folder.at("dbt.log")});
    log.write({"Note", "Z050", EventLevel::info, "so"});
    const std::regex shape(
        R"(\n\n={30} \d\d:\d\d:\d\d\.\d{6} \|  ={30}\n\d\d:\d\d:\d\d\.\d{6} \[info \] \[\w+\]: so\n)");
    EXPECT_TRUE(std::regex_match(folder.read("dbt.log"), shape)) << folder.read("dbt.log");
}

}  // namespace
}  // namespace shaduf::models
