#include "server/pipeline_host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "io/duckdb.h"
#include "tests/world.h"

namespace shaduf {

// Gives nothing for ever, in two parts; the stream `broken` fails for good.
class EndlessSource final : public Source, public SharedSource {
public:
    explicit EndlessSource(std::string stream) : stream_(std::move(stream)) {}
    Result<void> open(RunContext&, const std::optional<Checkpoint>&) override {
        if (stream_ == "broken") return Error(ErrorKind::auth, "token expired");
        return {};
    }
    Result<std::optional<ReadBatch>> read(RunContext& run) override {
        run.cancellation.wait_for(std::chrono::milliseconds(5));
        TRY(run.cancellation.check());
        return std::optional<ReadBatch>(
            ReadBatch{RawRows{}, Checkpoint(R"({"parts":{"clicks/0":{"at":"42"},"clicks/1":{"at":"7"}}})"), ""});
    }
    Result<void> resume_at(RunContext&, const std::optional<Checkpoint>&) override { return {}; }

private:
    const std::string stream_;
};

namespace {

extern const ConnectorSpec kEndless;
const ConnectorSpec kEndless{
    .name = "endless",
    .summary = "Gives nothing for ever.",
    .is_shared = [](const StreamRequest& stream) { return stream.mode == ReadMode::stream; },
    .make_source = [](const Options&, const StreamRequest& stream) -> Result<std::unique_ptr<Source>> {
        return std::unique_ptr<Source>(std::make_unique<EndlessSource>(stream.stream));
    },
};

}  // namespace

namespace server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PipelineHostTest : public testing::Test {
protected:
    PipelineHostTest() : builtin_(builtin_connectors()), connectors_({&kEndless, builtin_.find("files")}) {
        write("shaduf.yml",
              "name: test\nenvironments: {dev: {default: true}}\nconnections:\n  bus: {type: endless}\n"
              "  lake: {type: files, path: " +
                  folder_.path().string() + "/lake}\n");
        write("pipelines/clicks.yml", kPipeline);
        write("pipelines/daily.yml", "source: bus\nsink: lake\nstreams:\n  once: {}\n");
    }

    void write(const std::string& name, const std::string& text) {
        const std::filesystem::path path = folder_.path().string() + "/" + name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << text;
    }
    Result<Project> read(const ProjectRequest& request) {
        ProjectWorld outside;
        outside.variable = [](const std::string&) { return std::nullopt; };
        outside.connector = [&](std::string_view type) -> std::optional<ConnectorFields> {
            const ConnectorSpec* spec = connectors_.find(type);
            if (spec == nullptr) return std::nullopt;
            return ConnectorFields{spec->fields,          spec->stream_fields,          spec->table_fields,
                                   spec->stream_defaults, spec->make_source != nullptr, spec->make_sink != nullptr};
        };
        Project project;
        const auto errors = load_project(request, outside, project);
        if (!errors.empty()) return errors.front();
        return project;
    }
    std::unique_ptr<PipelineHost> start() {
        auto host = PipelineHost::start(
            {.world = world_.run,
             .connectors = connectors_,
             .folder = folder_.path().string(),
             .read_project = [this](const ProjectRequest& request) { return read(request); },
             .translate = [](const std::string&, const ConnectorConfig& config) -> Result<PipelineHost::Translated> {
                 if (!config.contains("topics")) return Error(ErrorKind::invalid_config, "topics: missing");
                 return PipelineHost::Translated{config.at("topics") == "bad" ? "sink: nowhere\n" : kPipeline,
                                                 {{"flush.size", "there is nothing like it"}}};
             },
             .classes = {"S3SinkConnector"}});
        EXPECT_TRUE(host.ok()) << host.error().to_string();
        return host.ok() ? host.release_value() : nullptr;
    }
    // Runs are threads: waits until one has come to it.
    static ConnectorInfo until(const PipelineHost& host, const std::string& name, size_t task, ConnectorState state) {
        for (;;) {
            auto info = host.info(name);
            if (!info || info->tasks.size() <= task || info->tasks[task].state == state)
                return info.value_or(ConnectorInfo());
            std::this_thread::yield();
        }
    }

    static constexpr const char* kPipeline =
        "source: bus\nsink: lake\nstreams:\n  clicks: {mode: stream, commit_every: 0s}\n"
        "  broken: {mode: stream}\n";
    TempFolder folder_;
    DuckDbInstances databases_;
    World world_{databases_};
    const Registry<ConnectorSpec> builtin_;
    const Registry<ConnectorSpec> connectors_;
};

TEST_F(PipelineHostTest, RunsWhatNeverEndsAndTellsWhatFailed) {
    const auto host = start();
    ASSERT_NE(host, nullptr);
    EXPECT_THAT(host->names(), ElementsAre("clicks")) << "the other one ends";
    const ConnectorInfo info = until(*host, "clicks", 1, ConnectorState::failed);
    EXPECT_EQ(info.state, ConnectorState::running);
    ASSERT_EQ(info.tasks.size(), 2U);
    EXPECT_EQ(info.tasks[0].state, ConnectorState::running) << "one that fails leaves the others alone";
    EXPECT_THAT(info.tasks[1].trace, HasSubstr("token expired"));
    EXPECT_THAT(info.topics, ElementsAre("clicks", "broken"));
    EXPECT_TRUE(host->restart("clicks", {.include_tasks = true, .only_failed = true}).ok());
    EXPECT_EQ(until(*host, "clicks", 1, ConnectorState::failed).tasks.size(), 2U);
    EXPECT_FALSE(host->restart_task("clicks", 7).ok());
    EXPECT_FALSE(host->info("nobody").has_value());
}

TEST_F(PipelineHostTest, WhatWasPausedStaysSoBehindARestart) {
    auto host = start();
    ASSERT_TRUE(host->pause("clicks").ok());
    EXPECT_EQ(host->info("clicks")->tasks[0].state, ConnectorState::paused);
    host.reset();
    host = start();
    EXPECT_EQ(host->info("clicks")->state, ConnectorState::paused);
    ASSERT_TRUE(host->resume("clicks").ok());
    EXPECT_EQ(until(*host, "clicks", 0, ConnectorState::running).state, ConnectorState::running);
    ASSERT_TRUE(host->stop("clicks").ok());
    EXPECT_TRUE(host->info("clicks")->tasks.empty());
}

TEST_F(PipelineHostTest, OffsetsAreThoseOfTheSinkAndCanBeSetWhileItIsStopped) {
    const auto host = start();
    std::vector<ConnectorOffset> offsets;
    while (offsets.empty()) offsets = host->offsets("clicks").release_value();
    ASSERT_EQ(offsets.size(), 2U);
    EXPECT_EQ(offsets[0].topic, "clicks");
    EXPECT_EQ(offsets[0].offset, 42);
    EXPECT_FALSE(host->set_offsets("clicks", {{"clicks", 0, 5}}).ok()) << "it runs";
    ASSERT_TRUE(host->stop("clicks").ok());
    const auto set = host->set_offsets("clicks", {{"clicks", 0, 5}, {"clicks", 1, std::nullopt}});
    ASSERT_TRUE(set.ok()) << set.error().to_string();
    offsets = host->offsets("clicks").release_value();
    ASSERT_EQ(offsets.size(), 1U);
    EXPECT_EQ(offsets[0].offset, 5);
    ASSERT_TRUE(host->set_offsets("clicks", {}).ok());
    EXPECT_TRUE(host->offsets("clicks").value().empty());
}

TEST_F(PipelineHostTest, MakesPipelinesOfConfigurationsAndLeavesThoseOfPeopleAlone) {
    const auto host = start();
    const ConnectorConfig config{{"topics", "t"}, {"flush.size", "9"}};
    ASSERT_TRUE(host->put("imported", config).ok());
    EXPECT_TRUE(std::filesystem::exists(folder_.path().string() + "/pipelines/imported.yml"));
    EXPECT_EQ(host->info("imported")->config.at("flush.size"), "9");
    EXPECT_THAT(host->validate({{"name", "x"}, {"topics", "t"}}), testing::SizeIs(1));
    struct Case {
        const char* name;
        ConnectorConfig config;
        const char* expected;
    };
    const Case cases[] = {{"clicks", config, "written by hand"},
                          {"../evil", config, "cannot have this name"},
                          {".hidden", config, "cannot have this name"},
                          {"new", {}, "topics: missing"},
                          {"new", {{"topics", "bad"}}, "new.yml"}};
    for (const auto& [name, wrong, expected] : cases) {
        SCOPED_TRACE(std::string(name) + " " + expected);
        const auto put = host->put(name, wrong);
        ASSERT_FALSE(put.ok());
        EXPECT_THAT(put.error().to_string(), HasSubstr(expected));
    }
    EXPECT_FALSE(std::filesystem::exists(folder_.path().string() + "/pipelines/new.yml"));
    EXPECT_FALSE(host->remove("clicks").ok());
    ASSERT_TRUE(host->remove("imported").ok());
    EXPECT_FALSE(std::filesystem::exists(folder_.path().string() + "/pipelines/imported.yml"));
    EXPECT_THAT(host->names(), ElementsAre("clicks"));
}

}  // namespace
}  // namespace server
}  // namespace shaduf
