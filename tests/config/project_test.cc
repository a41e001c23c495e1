#include "config/project.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace shaduf {
namespace {

constexpr FieldSpec kConnectionFields[] = {{"path", FieldType::text, "Where.", true},
                                           {"token", FieldType::text, "A key.", false, {}, true}};
constexpr FieldSpec kStreamFields[] = {{"files", FieldType::text, "Which."}, {"format", FieldType::text, "How."}};
constexpr FieldSpec kTableFields[] = {{"format", FieldType::text, "How.", false, "parquet"},
                                      {"partition_by", FieldType::text_list, "By."}};

// A folder of its own for each test, and a world with one connector that can do everything.
class ProjectTest : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "shaduf-project-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        world_.connector_types = {"box", "well"};
        world_.connector = [](std::string_view type) -> std::optional<ConnectorFields> {
            if (type != "box" && type != "well") return std::nullopt;
            return ConnectorFields{kConnectionFields, kStreamFields, kTableFields, nullptr, true, type == "box"};
        };
        world_.variable = [this](const std::string& name) -> std::optional<std::string> {
            const auto found = variables_.find(name);
            return found == variables_.end() ? std::nullopt : std::optional(found->second);
        };
        write("shaduf.yml", "name: t\nconnections: {box: {type: box, path: x}}\nwarehouse: box\n");
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    void write(const std::string& name, const std::string& text) {
        const auto path = folder_ / name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << text;
    }
    std::vector<std::string> load(ProjectRequest request = {}) {
        request.folder = folder_.string();
        std::vector<std::string> texts;
        for (const Error& error : load_project(request, world_, project_)) {
            EXPECT_EQ(error.kind(), ErrorKind::invalid_config);
            texts.push_back(error.to_string());
        }
        return texts;
    }
    std::vector<std::string> load_pipeline(const std::string& text) {
        write("pipelines/p.yml", text);
        return load();
    }
    const StreamConfig& stream(size_t i = 0) { return project_.pipelines.at(0).streams.at(i); }

    std::filesystem::path folder_;
    std::map<std::string, std::string> variables_;
    ProjectWorld world_;
    Project project_;
};

TEST_F(ProjectTest, ReadsAPipeline) {
    ASSERT_THAT(load_pipeline(R"(source: box
sink: warehouse
schema: raw
contract: freeze
streams:
  a:
    files: "*.csv"
    format: csv
    table: {name: aa, format: ndjson}
    partition_by: [day]
    mode: incremental
    key: [id]
    columns: {id: {from: x.id, type: int64}, day: y}
    expect:
      - not_null: [id, day]
      - {range: {id: [1, ~]}, severity: warn, max_percent: 1.5}
      - "id > 0"
    policies: {day: {truncate: 7}}
    commit_every: 5s
    retries: 0
  b: {contract: discard_row}
)"),
                testing::IsEmpty());
    const StreamConfig& a = stream(0);
    EXPECT_EQ(a.table, "aa");
    EXPECT_EQ(a.source_options.text("format"), "csv");
    EXPECT_EQ(a.table_options.text("format"), "ndjson");
    EXPECT_THAT(a.table_options.text_list("partition_by"), testing::ElementsAre("day"));
    EXPECT_EQ(a.mode, ReadMode::incremental);
    EXPECT_EQ(a.write, WriteMode::merge);
    EXPECT_EQ(a.contract, ContractMode::freeze);
    ASSERT_EQ(a.columns.size(), 2U);
    EXPECT_THAT(a.columns[0].path, testing::ElementsAre("x", "id"));
    EXPECT_EQ(a.columns[0].type, DataType(TypeKind::int64));
    EXPECT_TRUE(a.ignore_unlisted);
    ASSERT_EQ(a.expect.size(), 4U);
    EXPECT_EQ(a.expect[1].text, "not_null(day)");
    EXPECT_EQ(a.expect[1].place.line, 15);
    EXPECT_EQ(a.expect[2].min, "1");
    EXPECT_EQ(a.expect[2].max, std::nullopt);
    EXPECT_EQ(a.expect[2].severity, ExpectSeverity::warn);
    EXPECT_EQ(a.expect[2].limit.max_percent, 1.5);
    EXPECT_EQ(a.expect[3].expression, "id > 0");
    EXPECT_EQ(a.policies.at(0).keep, 7);
    EXPECT_EQ(a.commit_every, std::chrono::seconds(5));
    EXPECT_EQ(a.retries, 0);
    EXPECT_EQ(stream(1).retries, 5);
    EXPECT_EQ(stream(1).contract, ContractMode::discard_row);
    EXPECT_EQ(stream(1).write, WriteMode::replace);
    EXPECT_EQ(project_.pipelines[0].sink, "box");
}

TEST_F(ProjectTest, ReadsConnectionsWrittenInAPipeline) {
    ASSERT_THAT(
        load_pipeline("source: {type: box, path: a, files: x}\nsink: {type: box, path: b, table: t, schema: s}\n"),
        testing::IsEmpty());
    EXPECT_EQ(project_.pipelines[0].source, "p.source");
    EXPECT_EQ(project_.connection("p.sink")->options.text("path"), "b");
    EXPECT_EQ(project_.pipelines[0].schema, "s");
    EXPECT_EQ(stream().name, "t");
    EXPECT_EQ(stream().source_options.text("files"), "x");
}

TEST_F(ProjectTest, TellsWhatIsWrongInAPipeline) {
    struct Case {
        const char* yaml;
        std::vector<std::string> errors;
    };
    const std::string head = "source: box\nsink: box\nstreams:\n  a:\n";
    const Case cases[] = {
        {"    expct: []", {"pipelines/p.yml:5: unknown key: expct; did you mean expect?"}},
        {"    contract: evolv", {"pipelines/p.yml:5: contract: not one of the choices: evolv; did you mean evolve?"}},
        {"    write: merge", {"pipelines/p.yml:5: write: merge needs a key: add key: [column]"}},
        {"    order_by: x", {"pipelines/p.yml:5: order_by: only merge and history compare rows: set write: merge"}},
        {"    key: [z]\n    columns: {id: id}", {"pipelines/p.yml:5: key: not among the columns: z"}},
        {"  a: {}", {"pipelines/p.yml:5: key given twice: a; first in line 4"}},
        {"    x: *y", {"pipelines/p.yml:5: not valid YAML: the referenced anchor is not defined"}},
        {"    columns: {id: {type: nmber}}",
         {"pipelines/p.yml:5: column id: not a type: nmber; write one such as int64, decimal(38,2) or timestamp_tz"}},
        {"    columns: {id: x, ID: y}", {"pipelines/p.yml:5: column given twice (case does not count): ID"}},
        {"    policies: {x: hsh}", {"pipelines/p.yml:5: unknown policy of column x: hsh; did you mean hash?"}},
        {"    policies: {x: hash}",
         {"pipelines/p.yml:5: policy of column x needs a key: set policy_key: ${secret:policy_key} in shaduf.yml"}},
        {"    expect: [{not_null: [a], unique: [b]}]",
         {"pipelines/p.yml:5: expect: one kind an entry, found not_null, unique"}},
        {"    expect: [{freshness: {a: soon}}, {range: {a: 3}}]",
         {"pipelines/p.yml:5: freshness: expected a duration such as 2d, found soon",
          "pipelines/p.yml:5: range: expected [min, max] or {min: , max: }: a"}},
        {"    files: ${env:GONE}\n    mode: often\n    sample_rows: no",
         {"pipelines/p.yml:5: variable not set: GONE; set it in the environment or in .env",
          "pipelines/p.yml:6: mode: not one of the choices: often; known: full_refresh, incremental, cdc, stream",
          "pipelines/p.yml:7: sample_rows: expected a whole number, found no"}},
        {"    table: t\n  t: {}", {"pipelines/p.yml:6: two streams write one table: t, also of stream a"}},
    };
    for (const auto& [yaml, errors] : cases) {
        SCOPED_TRACE(yaml);
        auto found = load_pipeline(head + yaml + "\n");
        if (found.size() > errors.size() && errors.size() == 1) found.resize(1);  // what follows from the first
        EXPECT_EQ(found, errors);
    }
}

TEST_F(ProjectTest, TellsWhatIsWrongInTheProject) {
    struct Case {
        const char* yaml;
        std::vector<std::string> errors;
    };
    const Case cases[] = {
        {"nmae: x", {"shaduf.yml:1: unknown key: nmae; did you mean name?"}},
        {"connections:\n  a: {type: bix}\n  b: {path: x}\n  c: {type: box, pth: y}",
         {"shaduf.yml:2: unknown connector: bix; did you mean box?", "shaduf.yml:3: connection b: missing key: type",
          "shaduf.yml:4: unknown key: pth; did you mean path?", "shaduf.yml:4: missing key: path; Where."}},
        {"warehouse: nowhere\nconnections: {a: {type: box, path: x}}",
         {"shaduf.yml:1: connection not found: nowhere; known: a"}},
        {"memory: lots", {"shaduf.yml:1: memory: expected a size such as 256MB, found lots"}},
        {"connections: {a: {type: box, path: \"${secret:gone}\"}}",
         {"shaduf.yml:1: secret not found: gone; set SHADUF_SECRET_GONE, or write it into .secrets/gone"}},
        {"connections: {a: {type: box, path: \"${gone}\"}}",
         {"shaduf.yml:1: unknown reference: ${gone}; write ${env:NAME} or ${secret:name}"}},
    };
    for (const auto& [yaml, errors] : cases) {
        SCOPED_TRACE(yaml);
        write("shaduf.yml", yaml);
        EXPECT_EQ(load(), errors);
    }
    std::filesystem::remove(folder_ / "shaduf.yml");
    EXPECT_THAT(load(), testing::ElementsAre(testing::HasSubstr("not a project folder")));
}

TEST_F(ProjectTest, ChoosesTheEnvironment) {
    write("shaduf.yml",
          "environments: {dev: {warehouse: a}, prod: {warehouse: b, default: true}}\n"
          "connections: {a: {type: box, path: \"${env:A}\"}, b: {type: box, path: \"${env:B}\"}}\n");
    write(".env", "A=one\nB='plain'\n");
    write(".env.prod", "# a comment\nexport B=\"two ${env:A}\"  # more\n");
    ASSERT_THAT(load(), testing::IsEmpty());
    EXPECT_EQ(project_.environment, "prod");
    EXPECT_EQ(project_.connection("warehouse")->options.text("path"), "two one");
    variables_["SHADUF_ENV"] = "dev";
    ASSERT_THAT(load(), testing::IsEmpty());
    EXPECT_EQ(project_.warehouse, "a");
    EXPECT_EQ(project_.connection("b")->options.text("path"), "plain");
    ProjectRequest request;
    request.environment = "prd";
    EXPECT_THAT(load(request), testing::Contains("shaduf.yml:1: environment not found: prd; did you mean prod?"));
}

TEST_F(ProjectTest, RefusesVariablesThatReferToThemselves) {
    write("shaduf.yml", "connections: {a: {type: box, path: \"${env:A}\"}}\n");
    write(".env", "A=${env:B}\nB=${env:A}\nnonsense\n");
    EXPECT_THAT(load(), testing::ElementsAre(".env:1: variable refers to itself: A -> B -> A",
                                             ".env:3: not a line of the form NAME=value"));
}

TEST_F(ProjectTest, ReadsSecretsThatOnlyTheirOwnerMayRead) {
    write("shaduf.yml", "connections: {a: {type: box, path: x, token: \"${secret:my-key}\"}}\n");
    write(".secrets/my-key", "s3cret\n");
    ::chmod((folder_ / ".secrets/my-key").c_str(), 0644);
    EXPECT_THAT(load(), testing::ElementsAre("shaduf.yml:1: others may read the secret: .secrets/my-key; run chmod 600 "
                                             ".secrets/my-key"));
    ::chmod((folder_ / ".secrets/my-key").c_str(), 0600);
    ASSERT_THAT(load(), testing::IsEmpty());
    EXPECT_EQ(project_.connection("a")->options.text("token"), "s3cret");
    variables_["SHADUF_SECRET_MY_KEY"] = "other";
    ASSERT_THAT(load(), testing::IsEmpty());
    EXPECT_EQ(project_.connection("a")->options.text("token"), "other");
}

TEST_F(ProjectTest, ReadsOnlyWhatIsAskedFor) {
    write("shaduf.yml",
          "connections: {a: {type: box, path: x}, prod_only: {type: box, path: \"${env:GONE}\"}, "
          "well: {type: well, path: y}}\n");
    write("pipelines/good.yml", "source: a\nsink: a\n");
    write("pipelines/bad.yml", "source: prod_only\nsink: well\n");
    ProjectRequest request;
    request.pipelines = {"good"};
    ASSERT_THAT(load(request), testing::IsEmpty());
    EXPECT_EQ(project_.pipelines.size(), 1U);
    EXPECT_THAT(project_.pipeline_names, testing::ElementsAre("bad", "good"));
    EXPECT_THAT(load(),
                testing::ElementsAre("shaduf.yml:1: variable not set: GONE; set it in the environment or in .env"));
    request.pipelines = {"goood"};
    EXPECT_THAT(load(request), testing::ElementsAre("pipelines: pipeline not found: goood; did you mean good?"));
    variables_["GONE"] = "here";
    EXPECT_THAT(load(), testing::ElementsAre("pipelines/bad.yml:2: cannot be written to: well is of type well"));
}

}  // namespace
}  // namespace shaduf
